//! Faults that cannot strike in their scenario: a rehearsal without the mishap that was asked for must say so.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::model::container::{Needs, containers};
use crate::scenario::error::FaultWarning;
use crate::scenario::fault::FaultSpec;
use crate::scenario::fault::kinds::{Fault, Lack};
use crate::scenario::fault::scope::ForeignKind;
use crate::scenario::{Scenario, ServiceSpec, TargetGroupSpec};
use crate::wire::means_anything;

impl Scenario {
    /// A warning for each fault that has no effect on any service. `deployed`: what will be deployed, by the service's
    /// name, where that is another task definition than the one that it begins with. `None`: nobody knows yet, and the
    /// warning is of what runs alone.
    pub fn ineffective_faults(&self, deployed: Option<&BTreeMap<String, Value>>) -> Vec<FaultWarning> {
        let mut found = Vec::new();
        for fault in &self.faults {
            let name = || fault.fault.name().to_owned();
            if !fault.ignored_keys.is_empty() {
                found.push(FaultWarning::IgnoredKeys {
                    fault: name(),
                    keys: fault.ignored_keys.iter().copied().map(str::to_owned).collect(),
                });
            }
            let none = BTreeMap::new();
            if let Some(why) = self.why_ineffective(fault, deployed.unwrap_or(&none)) {
                found.push(FaultWarning::NoEffect {
                    fault: name(),
                    why,
                    is_of_what_runs: deployed.is_none() && asks_the_definition(&fault.fault),
                });
            }
        }
        found
    }

    fn why_ineffective(&self, fault: &FaultSpec, deployed: &BTreeMap<String, Value>) -> Option<String> {
        if fault.is_on_the_wire() {
            return never_strikes(fault);
        }
        let concerned: Vec<&ServiceSpec> = self.services.iter().filter(|s| fault.concerns(&s.name)).collect();
        if concerned.is_empty() {
            let name = fault.scope.service.as_ref().map(|name| format!(" `{name}`"));
            return Some(format!("there is no service{}", name.unwrap_or_default()));
        }
        let reasons: Option<BTreeSet<String>> = concerned
            .into_iter()
            .map(|service| {
                // Either definition is enough: the fault may be one of any revision.
                let new = deployed.get(&service.name);
                let documents = std::iter::once(&service.task_definition).chain(new);
                let all: Option<Vec<String>> = documents.map(|d| self.obstacle(fault, service, d)).collect();
                all?.pop()
            })
            .collect();
        // One service that it strikes is enough.
        reasons.map(|all| all.into_iter().collect::<Vec<_>>().join("; "))
    }

    /// What keeps a fault from any effect on one service.
    fn obstacle(&self, fault: &FaultSpec, service: &ServiceSpec, document: &Value) -> Option<String> {
        let needs = Needs::of(document);
        let on_fargate = service
            .launch_type
            .as_ref()
            .map_or(needs.fargate, |kind| kind == "FARGATE");
        let reason = match fault.fault {
            Fault::NoCapacity {
                lack: Some(Lack::Fargate),
            } if on_fargate => return None,
            _ if on_fargate && needs_instances(&fault.fault) => "tasks on Fargate need no container instance",
            Fault::NoCapacity { lack } => return misfit(fault).or_else(|| lacking(lack, &needs).map(str::to_owned)),
            Fault::CapacityProviderSlow if service.capacity_provider.is_none() => {
                "the service has no capacity provider"
            }
            Fault::PortClash if needs.fixed_ports.is_empty() => "no container asks for a fixed host port",
            Fault::ContainerUnhealthy { .. } if !any_container(document, |c| c.get("healthCheck").is_some()) => {
                "no container has a health check of its own"
            }
            Fault::Secrets { .. } if !reads_secrets(document) => "no container reads a secret",
            // A classic load balancer checks its instances as others check their targets.
            _ if fails_checks(&fault.fault) && is_classic(service) => return None,
            Fault::NotInUse | Fault::AzNotEnabled { .. } | Fault::WeightsDrift | Fault::TargetGroupDeleted => {
                return self.unchecked(fault, service, |group| group.attached);
            }
            _ if fails_checks(&fault.fault) || fault.fault == Fault::ChecksDisabled => {
                return self.unchecked(fault, service, |group| group.attached && group.health_check.enabled);
            }
            Fault::WrongVpc => return self.unchecked(fault, service, |_| true),
            Fault::Autoscaling { desired_count }
                if desired_count.unwrap_or(service.desired_count.saturating_mul(2)) == service.desired_count =>
            {
                "the desired count stays as it is"
            }
            Fault::RouteFailed { .. } if service.load_balancers.iter().all(|b| b.managed_by.is_none()) => {
                "ECS manages no target group of the service"
            }
            Fault::DesiredZero if service.desired_count == 0 => "the desired count is 0 already",
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
            .flat_map(|b| [&b.target_group, &b.alternate_target_group])
            .flatten()
            .collect();
        let own: Vec<&TargetGroupSpec> = self.target_groups.iter().filter(|g| names.contains(&g.name)).collect();
        let is_meant = |group: &&&TargetGroupSpec| fault.concerns_group(&group.name);
        let meant: Vec<&&TargetGroupSpec> = own.iter().filter(is_meant).collect();
        match &fault.scope.target_group {
            _ if own.is_empty() => Some("no target group is attached to the service".into()),
            Some(name) if meant.is_empty() => Some(format!("the service has no target group `{name}`")),
            _ if meant.iter().any(|group| can_strike(group)) => None,
            _ => Some("no load balancer checks the service's targets".into()),
        }
    }
}

/// Whether it depends on the task definition what the fault can strike.
fn asks_the_definition(fault: &Fault) -> bool {
    matches!(
        fault,
        Fault::NoCapacity { .. } | Fault::PortClash | Fault::ContainerUnhealthy { .. } | Fault::Secrets { .. }
    )
}

/// Why a fault on the wire strikes no call.
fn never_strikes(fault: &FaultSpec) -> Option<String> {
    match &fault.calls.action {
        Some(pattern) if !means_anything(pattern) => Some(format!("`{pattern}` is no operation of the simulator's")),
        _ if fault.foreign_kind.is_some() => misfit(fault),
        _ if fault.calls.count == Some(0) => Some("it strikes no call".into()),
        _ => None,
    }
}

/// Its `kind` is one of another fault.
fn misfit(fault: &FaultSpec) -> Option<String> {
    let ForeignKind { kind, known } = fault.foreign_kind.as_ref()?;
    Some(format!("its kind is one of {}, and not `{kind}`", known.join(", ")))
}

fn needs_instances(fault: &Fault) -> bool {
    matches!(
        fault,
        Fault::NoCapacity { .. }
            | Fault::PortClash
            | Fault::InstanceLoss { .. }
            | Fault::InstanceDrain { .. }
            | Fault::InstanceImpaired { .. }
            | Fault::SpotInterruption { .. }
            | Fault::AgentDisconnected { .. }
            | Fault::CapacityProviderSlow
    )
}

/// Whether targets fail their health checks by it.
fn fails_checks(fault: &Fault) -> bool {
    matches!(
        fault,
        Fault::Unhealthy { .. } | Fault::HealthTimeout | Fault::Flapping { .. } | Fault::SlowStart { .. }
    )
}

fn is_classic(service: &ServiceSpec) -> bool {
    service
        .load_balancers
        .iter()
        .any(|binding| binding.load_balancer_name.is_some())
}

/// Why a lack on container instances keeps no task of these needs from a place.
fn lacking(lack: Option<Lack>, needs: &Needs) -> Option<&'static str> {
    match lack {
        Some(Lack::Cpu) if needs.cpu == 0 => Some("a task reserves no CPU"),
        Some(Lack::Memory) if needs.memory == 0 => Some("a task reserves no memory"),
        None if needs.cpu == 0 && needs.memory == 0 => Some("a task reserves neither CPU nor memory"),
        Some(Lack::Fargate) => Some("the tasks run on container instances"),
        Some(Lack::Ports) if needs.fixed_ports.is_empty() => Some("no container asks for a fixed host port"),
        _ => None,
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
    use std::collections::BTreeMap;

    use serde_json::{Value, json};

    use crate::tests::{bridge, fargate};
    use crate::{Scenario, fault_names};

    fn told(mut scenario: Scenario, fault: &str) -> Vec<String> {
        scenario.add_fault(fault).expect("a known fault");
        let nothing_new = BTreeMap::new();
        let warnings = scenario.ineffective_faults(Some(&nothing_new));
        warnings.iter().map(ToString::to_string).collect()
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
            "instance-impaired",
            "spot-interruption",
            "agent-disconnected",
            "capacity-provider-slow",
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
        scenario.services[0].capacity_provider = Some("asg".into());
        let container = &mut scenario.services[0].task_definition["containerDefinitions"][0];
        container["healthCheck"] = json!({"command": ["CMD", "true"]});
        container["secrets"] = json!([{"name": "TOKEN", "valueFrom": "token"}]);
        scenario.services[0].load_balancers[0].managed_by = Some(crate::scenario::ManagedBy::Express);
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
        scenario.faults[0].scope.service = Some("web".into());
        assert_eq!(scenario.ineffective_faults(None).len(), 1);
    }

    #[test]
    fn u09_a_fault_is_judged_by_what_will_be_deployed_as_well() {
        let mut scenario = bridge(0, 1);
        scenario.add_fault("secrets").expect("a known fault");
        let runs = scenario.services[0].task_definition.clone();
        let mut reads = runs.clone();
        reads["containerDefinitions"][0]["secrets"] = json!([{"name": "TOKEN", "valueFrom": "token"}]);
        let told = |scenario: &Scenario, deployed: Option<Value>| {
            let deployed = deployed.map(|document| BTreeMap::from([("web".to_owned(), document)]));
            let warnings = scenario.ineffective_faults(deployed.as_ref());
            warnings.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let none = Vec::<String>::new();
        assert_eq!(told(&scenario, Some(reads.clone())), none);
        let here = "the fault `secrets` has no effect here: no container reads a secret";
        assert_eq!(told(&scenario, Some(runs)), [here]);
        let yet = "the fault `secrets` has no effect on what runs: no container reads a secret";
        assert_eq!(told(&scenario, None), [yet]);
        scenario.services[0].task_definition = reads;
        assert_eq!(told(&scenario, None), none);
    }
}
