//! Which keys each fault reads, and what they are by default.

use super::document::FaultDocument;
use super::kinds::{ENUMS, Fault, LACKS, Moment, SIDES, Side, StatusKind};

/// ECS_CONTAINER_STOP_TIMEOUT of the agent unless somebody sets it, in seconds.
const AGENT_STOP_TIMEOUT: u64 = 30;
/// How wrong a clock is by default, in seconds: more than the five minutes that AWS allows.
const SKEW: u64 = 360;

/// Makes the fault of a document, and takes the keys that this fault reads. `None` without a name.
pub(crate) fn fault(document: &mut FaultDocument) -> Option<Fault> {
    let name = document.name().to_owned();
    [containers, targets, capacity_and_deployments, wire]
        .iter()
        .find_map(|read| read(&name, document))
}

fn containers(name: &str, d: &mut FaultDocument) -> Option<Fault> {
    Some(match name {
        "image-pull" => Fault::ImagePull {
            message: d.of_container().message.take(),
        },
        "crash-loop" => Fault::CrashLoop {
            exit_code: d.of_container().exit_code.take().unwrap_or(1),
            after: d.delay_or(3),
            log: d.log.take(),
        },
        "container-unhealthy" => Fault::ContainerUnhealthy {
            log: d.of_revision().log.take(),
        },
        "out-of-memory" => Fault::OutOfMemory {
            after: d.of_container().delay_or(6),
            log: d.log.take(),
        },
        "secrets" => Fault::Secrets {
            message: d.of_revision().message.take(),
        },
        "ignores-sigterm" => Fault::IgnoresSigterm {
            killed_after: d.delay_or(AGENT_STOP_TIMEOUT),
        },
        _ => return None,
    })
}

fn targets(name: &str, d: &mut FaultDocument) -> Option<Fault> {
    Some(match name {
        "unhealthy" => Fault::Unhealthy {
            code: d.of_revision().of_group().code.take().unwrap_or(404),
            log: d.log.take(),
        },
        "health-timeout" => {
            d.of_revision().of_group();
            Fault::HealthTimeout
        }
        "flapping" => Fault::Flapping {
            after: d.of_revision().of_group().delay_or(60),
        },
        "slow-start" => Fault::SlowStart {
            takes: d.of_revision().of_group().delay_or(90),
        },
        "not-in-use" => {
            d.of_group();
            Fault::NotInUse
        }
        "az-not-enabled" => Fault::AzNotEnabled { zone: d.zone.take() },
        "checks-disabled" => {
            d.of_group();
            Fault::ChecksDisabled
        }
        "route-failed" => Fault::RouteFailed {
            message: d.message.take(),
        },
        "wrong-vpc" => {
            d.of_group();
            Fault::WrongVpc
        }
        "weights-drift" => {
            d.of_group();
            Fault::WeightsDrift
        }
        "target-group-deleted" => {
            d.of_group();
            Fault::TargetGroupDeleted
        }
        _ => return None,
    })
}

fn capacity_and_deployments(name: &str, d: &mut FaultDocument) -> Option<Fault> {
    Some(match name {
        "no-capacity" => Fault::NoCapacity { lack: d.kind_of(LACKS) },
        "port-clash" => Fault::PortClash,
        "instance-loss" => Fault::InstanceLoss {
            instance: d.instance.take(),
        },
        "instance-drain" => Fault::InstanceDrain {
            instance: d.instance.take(),
        },
        "instance-impaired" => Fault::InstanceImpaired {
            instance: d.instance.take(),
        },
        "spot-interruption" => Fault::SpotInterruption {
            instance: d.instance.take(),
        },
        "agent-disconnected" => Fault::AgentDisconnected {
            instance: d.instance.take(),
        },
        "capacity-provider-slow" => Fault::CapacityProviderSlow,
        "other-deployment" => Fault::OtherDeployment,
        "deployment-in-progress" => Fault::DeploymentInProgress,
        "autoscaling" => Fault::Autoscaling {
            desired_count: d.desired_count.take(),
        },
        "desired-zero" => Fault::DesiredZero,
        "task-protection" => Fault::TaskProtection,
        "service-deleted" => Fault::ServiceDeleted,
        _ => return None,
    })
}

fn wire(name: &str, d: &mut FaultDocument) -> Option<Fault> {
    Some(match name {
        "aws-throttling" => Fault::AwsThrottling,
        "throttled" => Fault::Throttled {
            rate: d.rate.take(),
            burst: d.burst.take(),
        },
        "server-error" => Fault::ServerError {
            status: d.status.take().unwrap_or(500),
            has_body: d.body.take().unwrap_or(true),
        },
        "html" => Fault::Html {
            status: d.status.take().unwrap_or(502),
        },
        "truncated" => Fault::Truncated,
        "reset" => Fault::Reset {
            when: d.when.take().unwrap_or(Moment::Before),
        },
        "slow" => Fault::Slow { by: d.delay_or(10) },
        "stale" => Fault::Stale { age: d.age_or(5) },
        "unlisted" => Fault::Unlisted { age: d.age_or(10) },
        "expired-credentials" => Fault::ExpiredCredentials,
        "denied" => Fault::Denied { role: d.role.take() },
        "clock-skew" => Fault::ClockSkew {
            by: d.delay_or(SKEW),
            side: d.kind_of(SIDES).unwrap_or(Side::Behind),
        },
        "concurrent-registration" => Fault::ConcurrentRegistration,
        "service-role" => Fault::ServiceRole {
            message: d.message.take(),
        },
        "unknown-enum" => Fault::UnknownEnum {
            of: d.kind_of(ENUMS).unwrap_or(StatusKind::TargetState),
        },
        "hostile-text" => Fault::HostileText,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use crate::fault_names;
    use crate::scenario::fault::FaultSpec;

    #[test]
    fn every_fault_of_the_catalogue_is_read_and_bears_its_name() {
        for (name, _) in fault_names() {
            assert_eq!(FaultSpec::parse(name).expect("a known fault").fault.name(), name);
        }
    }
}
