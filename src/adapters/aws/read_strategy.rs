//! What ECS says of deployment strategies, in the domain's types.

use aws_sdk_ecs::types as sdk;
use portzero_core::aws_model::service::{
    AlarmWatch, BreakerThreshold, CircuitBreaker, Hook, HookDetail, HookTargetType, Progress, ServiceRevision,
    TrafficSteps,
};

use crate::adapters::aws::read::{count, minutes, text, time};

pub(super) fn steps(configuration: &sdk::DeploymentConfiguration) -> Option<TrafficSteps> {
    let linear = configuration
        .linear_configuration()
        .map(|l| (l.step_percent(), l.step_bake_time_in_minutes()));
    let canary = configuration
        .canary_configuration()
        .map(|c| (c.canary_percent(), c.canary_bake_time_in_minutes()));
    let (percent, bake) = linear.or(canary)?;
    Some(TrafficSteps {
        share: percent.map(tenths)?,
        bake: bake.map(minutes).unwrap_or_default(),
    })
}

pub(super) fn circuit_breaker(breaker: &sdk::DeploymentCircuitBreaker) -> CircuitBreaker {
    let threshold = breaker
        .threshold_configuration()
        .map(|threshold| BreakerThreshold::read(threshold.r#type().as_str(), count(threshold.value())));
    CircuitBreaker {
        enable: breaker.enable(),
        rollback: breaker.rollback(),
        adds_up: breaker.reset_on_healthy_task() == Some(false),
        threshold: threshold.unwrap_or_default(),
    }
}

pub(super) fn hook(hook: &sdk::DeploymentLifecycleHook) -> Hook {
    Hook {
        // The kind is younger than hooks: before it, each was a function.
        target_type: hook.target_type().map_or(HookTargetType::Lambda, |t| t.as_str().into()),
        stages: hook.lifecycle_stages().iter().map(|s| s.as_str().to_owned()).collect(),
    }
}

pub(super) fn alarms(alarms: &sdk::DeploymentAlarms) -> AlarmWatch {
    AlarmWatch {
        names: alarms.alarm_names().to_vec(),
        enable: alarms.enable(),
        rollback: alarms.rollback(),
    }
}

/// From how many percent of healthy tasks on ECS calls a rolling update successful.
pub(super) fn early_success(configuration: &sdk::DeploymentConfiguration) -> Option<u32> {
    let early = configuration.early_success_criteria()?;
    early.enable().then(|| early.healthy_percent().map_or(100, count))
}

pub(super) fn defers_clean_up(configuration: &sdk::DeploymentConfiguration) -> bool {
    configuration.early_success_criteria().is_some_and(|early| {
        let is_deferred = early
            .source_service_revision_cleanup()
            .is_some_and(|c| c.as_str() == "DEFERRED");
        early.enable() && is_deferred
    })
}

pub(super) fn progress(deployment: &sdk::ServiceDeployment) -> Progress {
    let target = deployment.target_service_revision();
    let alarms = deployment.alarms();
    Progress {
        stage: deployment.lifecycle_stage().map(|s| s.as_str().to_owned()),
        production_traffic: target.and_then(|r| r.requested_production_traffic_weight()).map(tenths),
        test_traffic: target.and_then(|r| r.requested_test_traffic_weight()).map(tenths),
        hooks: deployment.lifecycle_hook_details().iter().map(hook_detail).collect(),
        triggered_alarms: alarms.map(|a| a.triggered_alarm_names().to_vec()).unwrap_or_default(),
        is_monitoring: alarms
            .and_then(|a| a.status())
            .is_some_and(|s| s.as_str() == "MONITORING"),
    }
}

fn hook_detail(detail: &sdk::DeploymentLifecycleHookDetail) -> HookDetail {
    HookDetail {
        id: text(detail.hook_id()).to_owned(),
        target_type: detail
            .target_type()
            .map_or(HookTargetType::Lambda, |t| t.as_str().into()),
        target_arn: detail.target_arn().map(str::to_owned),
        status: detail.status().map_or("", |s| s.as_str()).into(),
        expires_at: time(detail.expires_at()),
        timeout_action: detail.timeout_action().map(|a| a.as_str().to_owned()),
    }
}

pub(super) fn service_revision(revision: &sdk::ServiceRevision) -> ServiceRevision {
    let resolved = revision.resolved_configuration();
    let balancers = resolved.map(|r| r.load_balancers()).unwrap_or_default();
    ServiceRevision {
        arn: text(revision.service_revision_arn()).to_owned(),
        task_definition: revision.task_definition().map(Into::into),
        target_groups: balancers
            .iter()
            .filter_map(|b| b.target_group_arn().map(Into::into))
            .collect(),
        ways: super::read_managed::ways(revision),
        cpu_architecture: revision
            .overrides()
            .and_then(|o| o.runtime_platform())
            .and_then(|p| p.cpu_architecture())
            .map(str::to_owned),
    }
}

/// A share in percent, as tenths of a percent. What is no share reads as 0.
fn tenths(percent: f64) -> u32 {
    let tenths = (percent * 10.0).round();
    if (0.0..=1000.0).contains(&tenths) {
        tenths as u32
    } else {
        0
    }
}
