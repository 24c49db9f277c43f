//! A time without any healthy target, as far as the service's own settings lead to it.

use crate::aws_model::service::ServiceStatus;
use crate::base::finding::{Code, Finding};
use crate::base::time::human;
use crate::plan::forecast::{Basis, Gap};
use crate::plan::preflight::Network;
use crate::rollout::view::limits::Limits;

/// A warning where ECS may stop every old task, and starts no new one before it has.
pub fn gap(basis: &Basis<'_>, network: Network) -> Option<Finding> {
    let (service, groups) = (basis.service, basis.groups);
    let limits = Limits::of(service, service.desired_count);
    let is_rolling = !service.configuration.is_staged() && service.status == ServiceStatus::Active;
    if !is_rolling || !limits.may_empty() || groups.is_empty() {
        return None;
    }
    // A second task finds its fixed host port taken, unless there is another instance.
    let shares_port = network
        == Network::Instance {
            has_dynamic_ports: false,
        };
    let gap = Gap::of(basis, shares_port);
    let all = match limits.desired {
        1 => "its only task".to_owned(),
        count => format!("all its {count} tasks"),
    };
    let summary = format!(
        "`{}` may have no healthy target for about {}: ECS may stop {all} before it starts a new one",
        service.name,
        human(gap.total())
    );
    let sum = format!(
        "{} to start a task + {} until ECS acts + {} to the first health check, and what the application takes to start",
        human(gap.start),
        human(gap.look),
        human(gap.check)
    );
    let port = if shares_port {
        format!("{} until the old task has freed its host port + ", human(gap.port))
    } else {
        String::new()
    };
    let mut finding = Finding::warning(Code::NoHealthyTarget, summary);
    finding.evidence.extend(limits.sums());
    finding = finding.evidence("without", port + &sum);
    if !shares_port {
        let hint = "raise the maximum percent to 200, so that ECS starts new tasks first (it needs room for them)";
        finding = finding.hint(hint);
    }
    Some(finding)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::aws_model::service::{DeploymentConfiguration, Service};
    use crate::aws_model::target::{HealthCheck, TargetGroup};

    fn told(desired: u32, percents: (u32, u32), network: Network) -> Option<Finding> {
        let group = TargetGroup {
            health_check: HealthCheck {
                interval: Duration::from_secs(30),
                ..HealthCheck::default()
            },
            ..TargetGroup::plain()
        };
        let service = Service {
            desired_count: desired,
            configuration: DeploymentConfiguration {
                minimum_healthy_percent: Some(percents.0),
                maximum_percent: Some(percents.1),
                ..DeploymentConfiguration::default()
            },
            ..Service::plain()
        };
        let basis = Basis {
            service: &service,
            groups: &[(group.arn.clone(), group)].into(),
            tasks: &[],
            capacity: None,
            running: None,
            document: None,
        };
        gap(&basis, network)
    }

    #[test]
    fn t10_the_time_without_a_target_is_told_with_its_arithmetic() {
        let found = told(1, (0, 100), Network::Address).expect("a warning");
        assert_eq!(
            found.summary,
            "`web` may have no healthy target for about 49s: ECS may stop its only task before it starts a new one"
        );
        assert!(
            found.evidence[2]
                .1
                .starts_with("9s to start a task + 10s until ECS acts + 30s")
        );
        assert_eq!(found.hints.len(), 1);
        let fixed = Network::Instance {
            has_dynamic_ports: false,
        };
        let found = told(1, (0, 100), fixed).expect("a warning");
        // The delay is AWS's default where it is not known.
        assert!(
            found.evidence[2]
                .1
                .starts_with("6m 35s until the old task has freed its host port + 9s")
        );
        assert!(
            found.hints.is_empty() && found.summary.contains("about 7m 24s"),
            "{found:?}"
        );
        assert!(
            told(3, (0, 100), fixed)
                .expect("a warning")
                .summary
                .contains("all its 3 tasks")
        );
        for percents in [(100, 200), (0, 200), (50, 100)] {
            assert_eq!(told(1, percents, Network::Address), None);
        }
    }
}
