//! Whose task definition it is: its family and the account of its roles, against those of the service.

use serde_json::Value;

use crate::aws_model::service::Service;
use crate::base::finding::{Code, Finding};

pub(super) fn origin(service: &Service, document: &Value) -> Vec<Finding> {
    let mut findings: Vec<Finding> = ["taskRoleArn", "executionRoleArn"]
        .into_iter()
        .filter_map(|key| foreign_role(service, document, key))
        .collect();
    findings.extend(other_family(service, document));
    findings
}

/// The account in an ARN, where there is one.
fn account(arn: &str) -> Option<&str> {
    let account = arn.strip_prefix("arn:")?.split(':').nth(3)?;
    (account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit())).then_some(account)
}

/// A warning, because the account of a rehearsal is made up.
fn foreign_role(service: &Service, document: &Value, key: &str) -> Option<Finding> {
    let role = document.get(key)?.as_str()?;
    let (of_role, of_service) = (account(role)?, account(&service.arn)?);
    (of_role != of_service).then(|| {
        let summary = format!(
            "`{key}` names a role of another account than that of service `{}`",
            service.name
        );
        Finding::warning(Code::InvalidValue, summary)
            .evidence("AWS", "Cross-account pass role is not allowed.")
            .evidence("role", role)
            .evidence("service", service.arn.as_str())
    })
}

fn other_family(service: &Service, document: &Value) -> Option<Finding> {
    let family = document.get("family")?.as_str()?;
    let runs = service.task_definition.as_ref()?.short();
    let running = runs.rsplit_once(':').map_or(runs, |(name, _)| name);
    (family != running).then(|| {
        let summary = format!(
            "service `{}` runs family `{running}`, and this is family `{family}`",
            service.name
        );
        Finding::note(Code::OtherFamily, summary)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    use serde_json::json;

    fn found(document: &Value) -> Vec<(Code, String)> {
        let mut web = Service::plain();
        web.arn = "arn:aws:ecs:us-east-1:111122223333:service/shop/web".into();
        web.task_definition = Some("arn:aws:ecs:us-east-1:111122223333:task-definition/web:41".into());
        let findings = origin(&web, document).into_iter();
        findings.map(|finding| (finding.code, finding.summary)).collect()
    }

    #[test]
    fn p06_a_role_of_another_account_is_warned_of_and_a_name_or_an_own_one_is_not() {
        let foreign = json!({"family": "web", "taskRoleArn": "arn:aws:iam::999988887777:role/web"});
        let warning = "`taskRoleArn` names a role of another account than that of service `web`";
        assert_eq!(found(&foreign), [(Code::InvalidValue, warning.to_owned())]);
        for role in [
            "arn:aws:iam::111122223333:role/web",
            "web",
            "arn:aws:iam::ACCOUNT:role/web",
        ] {
            assert_eq!(found(&json!({"family": "web", "executionRoleArn": role})), [], "{role}");
        }
    }

    #[test]
    fn p06_another_family_than_the_one_that_runs_is_noted() {
        let note = "service `web` runs family `web`, and this is family `web-staging`";
        assert_eq!(
            found(&json!({"family": "web-staging"})),
            [(Code::OtherFamily, note.to_owned())]
        );
    }
}
