//! References of a request: by name or id, by ARN in the format of today or of before 2021 (without the cluster).

use crate::model::refusal::Refusal;
use crate::model::state::Account;

impl Account {
    /// The short id of a service, task or container instance (`kind`, as in its ARN) of a cluster. AWS's refusals of
    /// other ARNs are quoted in aws/aws-toolkit-vscode issue 2915 (of another cluster), aws-actions/
    /// amazon-ecs-deploy-task-definition issue 261 (of another account), and aws/aws-cli issue 7875 (of another kind).
    pub(crate) fn id_of<'a>(&self, cluster: &str, kind: &str, reference: &'a str) -> Result<&'a str, Refusal> {
        let Some(arn) = reference.strip_prefix("arn:") else {
            // `CLUSTER/ID` is what some clients cut off an ARN.
            return Ok(reference.rsplit('/').next().unwrap_or(reference));
        };
        let mut parts = arn.splitn(5, ':').skip(3);
        let (Some(account), Some(resource)) = (parts.next(), parts.next()) else {
            return Err(Refusal::invalid_parameter("The ARN provided is invalid."));
        };
        if account != self.id {
            return Err(Refusal::invalid_parameter(format!(
                "Identifier is for {account}. Your accountId is {}",
                self.id
            )));
        }
        let mut segments = resource.split('/');
        match (segments.next(), segments.next(), segments.next()) {
            (Some(found), Some(_), _) if found != kind => Err(Refusal::invalid_parameter(format!(
                "Unsupported resource type: {found}"
            ))),
            (_, Some(owner), Some(_)) if owner != cluster => Err(Refusal::invalid_parameter(format!(
                "Invalid identifier: Identifier is for cluster {owner}. Your cluster is {cluster}"
            ))),
            (_, Some(_), Some(id)) | (_, Some(id), None) => Ok(id),
            _ => Err(Refusal::invalid_parameter("The ARN provided is invalid.")),
        }
    }
}
