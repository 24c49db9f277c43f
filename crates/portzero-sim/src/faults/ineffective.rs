//! Faults that cannot strike in their scenario: a rehearsal without the mishap that was asked for must say so.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::model::container::{Needs, containers};
use crate::scenario::error::FaultWarning;
use crate::scenario::fault::{ENUMS, FaultSpec, LACKS, SIDES};
use crate::scenario::{Scenario, ServiceSpec, TargetGroupSpec};
use crate::wire::means_anything;

impl Scenario {
    /// A warning for each fault that has no effect on any service, judged by the task definitions that the services
    /// begin with: what will be deployed is not known here.
    pub fn pointless_faults(&self) -> Vec<FaultWarning> {
        let mut found = Vec::new();
        for fault in &self.faults {
            let name = &fault.fault;
            let ignored = fault.ignored_keys();
            if !ignored.is_empty() {
                found.push(FaultWarning::IgnoredKeys {
                    fault: name.clone(),
                    keys: ignored.into_iter().map(str::to_owned).collect(),
                });
            }
            if let Some(why) = self.why_pointless(fault) {
                let fault = name.clone();
                found.push(FaultWarning::NoEffect { fault, why });
            }
        }
        found
    }

    fn why_pointless(&self, fault: &FaultSpec) -> Option<String> {
        if fault.is_on_the_wire() {
            return never_strikes(fault);
        }
        let concerned: Vec<&ServiceSpec> = self.services.iter().filter(|s| fault.concerns(&s.name)).collect();
        if concerned.is_empty() {
            let name = fault.service.as_ref().map(|name| format!(" `{name}`"));
            return Some(format!("there is no service{}", name.unwrap_or_default()));
        }
        let reasons: Option<BTreeSet<String>> = concerned
            .into_iter()
            .map(|service| self.obstacle(fault, service))
            .collect();
        // One service that it strikes is enough.
        reasons.map(|all| all.into_iter().collect::<Vec<_>>().join("; "))
    }

    /// What keeps a fault from any effect on one service.
    fn obstacle(&self, fault: &FaultSpec, service: &ServiceSpec) -> Option<String> {
        let document = &service.task_definition;
        let needs = Needs::of(document);
        let on_fargate = service
            .launch_type
            .as_ref()
            .map_or(needs.fargate, |kind| kind == "FARGATE");
        let reason = match fault.fault.as_str() {
            "no-capacity" if on_fargate && fault.kind.as_deref() == Some("fargate") => return None,
            "no-capacity" | "port-clash" | "instance-loss" | "instance-drain" | "spot-interruption" if on_fargate => {
                "tasks on Fargate need no container instance"
            }
            "no-capacity" => return lacking_kind(fault, &needs),
            "port-clash" if needs.fixed_ports.is_empty() => "no container asks for a fixed host port",
            "container-unhealthy" if !any_container(document, |c| c.get("healthCheck").is_some()) => {
                "no container has a health check of its own"
            }
            "secrets" if !reads_secrets(document) => "no container reads a secret",
            // A classic load balancer checks its instances as others check their targets.
            "unhealthy" | "health-timeout" | "flapping" | "slow-start" if is_classic(service) => return None,
            "unhealthy" | "health-timeout" | "flapping" | "slow-start" => {
                return self.unchecked(fault, service, |group| group.attached && group.health_check.enabled);
            }
            "not-in-use" | "az-not-enabled" => return self.unchecked(fault, service, |group| group.attached),
            "checks-disabled" => {
                return self.unchecked(fault, service, |group| group.attached && group.health_check.enabled);
            }
            "wrong-vpc" => return self.unchecked(fault, service, |_| true),
            "autoscaling"
                if fault.desired_count.unwrap_or(service.desired_count.saturating_mul(2)) == service.desired_count =>
            {
                "the desired count stays as it is"
            }
            "desired-zero" if service.desired_count == 0 => "the desired count is 0 already",
            _ => return None,
        };
        Some(reason.to_owned())
    }

    /// Why none of the service's target groups is one that the fault could strike.
    fn unchecked(
        &self,
        fault: &FaultSpec,
        service: &ServiceSpec,
        can_strike: fn(&TargetGroupSpec) -> bool,
    ) -> Option<String> {
        let names: BTreeSet<&String> = service
            .load_balancers
            .iter()
            .filter_map(|b| b.target_group.as_ref())
            .collect();
        let own: Vec<&TargetGroupSpec> = self.target_groups.iter().filter(|g| names.contains(&g.name)).collect();
        let is_meant = |group: &&&TargetGroupSpec| fault.target_group.as_ref().is_none_or(|name| name == &group.name);
        let meant: Vec<&&TargetGroupSpec> = own.iter().filter(is_meant).collect();
        match &fault.target_group {
            _ if own.is_empty() => Some("no target group is attached to the service".into()),
            Some(name) if meant.is_empty() => Some(format!("the service has no target group `{name}`")),
            _ if meant.iter().any(|group| can_strike(group)) => None,
            _ => Some("no load balancer checks the service's targets".into()),
        }
    }
}

/// Why a fault on the wire strikes no call.
fn never_strikes(fault: &FaultSpec) -> Option<String> {
    let kind = fault.kind.as_deref().unwrap_or(ENUMS[0]);
    match (&fault.action, fault.fault.as_str()) {
        (Some(pattern), _) if !means_anything(pattern) => {
            Some(format!("`{pattern}` is no operation of the simulator's"))
        }
        (_, "unknown-enum") if !ENUMS.contains(&kind) => {
            Some(format!("its kind is one of {}, and not `{kind}`", ENUMS.join(", ")))
        }
        (_, "clock-skew") if fault.kind.as_deref().is_some_and(|side| !SIDES.contains(&side)) => {
            Some(format!("its kind is one of {}, and not `{kind}`", SIDES.join(", ")))
        }
        _ if fault.count == Some(0) => Some("it strikes no call".into()),
        _ => None,
    }
}

fn is_classic(service: &ServiceSpec) -> bool {
    service
        .load_balancers
        .iter()
        .any(|binding| binding.load_balancer_name.is_some())
}

fn lacking_kind(fault: &FaultSpec, needs: &Needs) -> Option<String> {
    match fault.kind.as_deref() {
        Some("cpu") if needs.cpu == 0 => Some("a task reserves no CPU".into()),
        Some("memory") if needs.memory == 0 => Some("a task reserves no memory".into()),
        None if needs.cpu == 0 && needs.memory == 0 => Some("a task reserves neither CPU nor memory".into()),
        None | Some("cpu" | "memory") => None,
        Some("fargate") => Some("the tasks run on container instances".into()),
        Some("ports") if needs.fixed_ports.is_empty() => Some("no container asks for a fixed host port".into()),
        Some(kind) if LACKS.contains(&kind) => None,
        Some(other) => Some(format!("its kind is one of {}, and not `{other}`", LACKS.join(", "))),
    }
}

/// Whether something of the task definition has to be fetched with the execution role before its containers start.
pub(crate) fn reads_secrets(document: &Value) -> bool {
    let is_filled = |value: Option<&Value>| value.and_then(Value::as_array).is_some_and(|all| !all.is_empty());
    any_container(document, |container| {
        let log = container.get("logConfiguration");
        is_filled(container.get("secrets"))
            || is_filled(log.and_then(|log| log.get("secretOptions")))
            || container.get("repositoryCredentials").is_some()
    })
}

fn any_container(document: &Value, holds: impl Fn(&Value) -> bool) -> bool {
    containers(document).into_iter().any(holds)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::tests::{bridge, fargate};
    use crate::{Scenario, fault_names};

    fn told(mut scenario: Scenario, fault: &str) -> Vec<String> {
        scenario.add_fault(fault).expect("a known fault");
        scenario.pointless_faults().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn each_fault_that_cannot_strike_is_told_with_its_reason() {
        let why = |fault: &str, reason: &str| vec![format!("the fault `{fault}` has no effect here: {reason}")];
        let check = "no container has a health check of its own";
        assert_eq!(
            told(bridge(0, 1), "container-unhealthy"),
            why("container-unhealthy", check)
        );
        let fixed = "no container asks for a fixed host port";
        assert_eq!(told(bridge(0, 1), "port-clash"), why("port-clash", fixed));
        assert_eq!(
            told(bridge(0, 1), "secrets"),
            why("secrets", "no container reads a secret")
        );
        for fault in [
            "no-capacity",
            "port-clash",
            "instance-loss",
            "instance-drain",
            "spot-interruption",
        ] {
            let reason = "tasks on Fargate need no container instance";
            assert_eq!(told(fargate(), fault), why(fault, reason));
        }
        let mut alone = bridge(0, 1);
        alone.services[0].load_balancers.clear();
        let group = "no target group is attached to the service";
        assert_eq!(told(alone, "unhealthy"), why("unhealthy", group));
        let mut classic = bridge(8080, 1);
        let binding = &mut classic.services[0].load_balancers[0];
        (binding.target_group, binding.load_balancer_name) = (None, Some("front".into()));
        assert_eq!(told(classic, "unhealthy"), Vec::<String>::new());
    }

    #[test]
    fn no_fault_is_pointless_where_everything_is_there_to_break() {
        let mut scenario = bridge(8080, 1);
        let container = &mut scenario.services[0].task_definition["containerDefinitions"][0];
        container["healthCheck"] = json!({"command": ["CMD", "true"]});
        container["secrets"] = json!([{"name": "TOKEN", "valueFrom": "token"}]);
        for (fault, _) in fault_names() {
            assert_eq!(told(scenario.clone(), fault), Vec::<String>::new(), "{fault}");
        }
    }

    #[test]
    fn a_fault_on_the_wire_that_strikes_no_call_is_told_and_so_is_a_key_that_it_does_not_read() {
        let said = |fault: &str| told(bridge(0, 1), fault).join("\n");
        assert_eq!(
            said("denied,action=ecs:DescribeServcies"),
            "the fault `denied` has no effect here: `ecs:DescribeServcies` is no operation of the simulator's"
        );
        assert!(said("clock-skew,kind=cpu").contains("its kind is one of behind, ahead"));
        assert!(said("reset,count=0").ends_with("it strikes no call"));
        assert!(said("unknown-enum,kind=cpu").contains("its kind is one of target-state, "));
        assert_eq!(
            said("image-pull,share=0.5"),
            "the fault `image-pull` does not read `share`"
        );
        assert_eq!(said("denied,action=iam:PassRole"), "");
    }

    #[test]
    fn a_fault_that_strikes_one_service_of_two_is_not_pointless() {
        let mut scenario = bridge(0, 1);
        let mut other = bridge(8080, 1).services.remove(0);
        other.name = "other".into();
        scenario.services.push(other);
        assert!(told(scenario.clone(), "port-clash").is_empty());
        scenario.add_fault("port-clash").expect("a known fault");
        scenario.faults[0].service = Some("web".into());
        assert_eq!(scenario.pointless_faults().len(), 1);
    }
}
