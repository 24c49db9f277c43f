//! References of a request: by name or id, by ARN in the format of today or of before 2021 (without the cluster).

use super::service_checks::invalid;
use super::state::{Account, Refusal};

impl Account {
    /// The short id of a service, task or container instance (`kind`, as in its ARN) of a cluster. AWS's refusals of
    /// other ARNs are quoted in aws/aws-toolkit-vscode issue 2915 (of another cluster), aws-actions/
    /// amazon-ecs-deploy-task-definition issue 261 (of another account), and aws/aws-cli issue 7875 (of another kind).
    pub fn id_of<'a>(&self, cluster: &str, kind: &str, reference: &'a str) -> Result<&'a str, Refusal> {
        let Some(arn) = reference.strip_prefix("arn:") else {
            // `CLUSTER/ID` is what some clients cut off an ARN.
            return Ok(reference.rsplit('/').next().unwrap_or(reference));
        };
        let mut parts = arn.splitn(5, ':').skip(3);
        let (Some(account), Some(resource)) = (parts.next(), parts.next()) else {
            return Err(invalid("The ARN provided is invalid."));
        };
        if account != self.id {
            return Err(invalid(format!(
                "Identifier is for {account}. Your accountId is {}",
                self.id
            )));
        }
        let mut segments = resource.split('/');
        match (segments.next(), segments.next(), segments.next()) {
            (Some(found), Some(_), _) if found != kind => Err(invalid(format!("Unsupported resource type: {found}"))),
            (_, Some(owner), Some(_)) if owner != cluster => Err(invalid(format!(
                "Invalid identifier: Identifier is for cluster {owner}. Your cluster is {cluster}"
            ))),
            (_, Some(_), Some(id)) | (_, Some(id), None) => Ok(id),
            _ => Err(invalid("The ARN provided is invalid.")),
        }
    }
}

/// Whether a cluster can be called so. AWS's words are quoted in awslabs/amazon-ecs-nodejs-microservices issue 18.
pub(super) fn check_cluster_name(name: &str) -> Result<(), Refusal> {
    let is_legal = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || name.len() > 255 || !name.chars().all(is_legal) {
        return Err(invalid(format!(
            "Cluster must match ^[a-zA-Z0-9\\-_]{{1,255}}$, but was {name}"
        )));
    }
    Ok(())
}
