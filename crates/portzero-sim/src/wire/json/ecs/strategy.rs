//! Deployment strategies on the wire: what `deploymentConfiguration` says of them, and how far a deployment is.

use std::time::Duration;

use serde_json::{Value, json};

use super::{seconds, structure};
use crate::model::refusal::Refusal;
use crate::model::state::{HookDetail, Service, ServiceDeployment};
use crate::scenario::strategy::{AlarmWatch, Canary, EarlySuccess, Hook, Kind, Linear, Strategy, share};
use crate::wire::json::members::Members;
use crate::world::World;

/// The strategy after a `deploymentConfiguration`: members that it does not name stay as they were.
pub(super) fn read(configuration: Members<'_>, current: &Strategy) -> Result<Strategy, Refusal> {
    let mut strategy = current.clone();
    if let Some(name) = configuration.text("strategy")? {
        let words = "strategy should be one of [ROLLING,BLUE_GREEN,LINEAR,CANARY]";
        strategy.kind = Kind::named(name).ok_or_else(|| Refusal::invalid_parameter(format!("{words}, not {name}")))?;
    }
    if let Some(minutes) = configuration.count("bakeTimeInMinutes")? {
        strategy.bake_time = Some(in_minutes(minutes));
    }
    if let Some(linear) = configuration.structure("linearConfiguration")? {
        let default = Linear::default();
        strategy.linear = Linear {
            step: percent(linear, "stepPercent")?.unwrap_or(default.step),
            bake: linear.count("stepBakeTimeInMinutes")?.map_or(default.bake, in_minutes),
        };
    }
    if let Some(canary) = configuration.structure("canaryConfiguration")? {
        let default = Canary::default();
        strategy.canary = Canary {
            share: percent(canary, "canaryPercent")?.unwrap_or(default.share),
            bake: canary
                .count("canaryBakeTimeInMinutes")?
                .map_or(default.bake, in_minutes),
        };
    }
    if let Some(alarms) = configuration.structure("alarms")? {
        strategy.alarms = Some(AlarmWatch {
            names: alarms.texts("alarmNames")?.into_iter().map(str::to_owned).collect(),
            enable: alarms.boolean("enable")?.unwrap_or(false),
            rollback: alarms.boolean("rollback")?.unwrap_or(false),
        });
    }
    if let Some(early) = configuration.structure("earlySuccessCriteria")? {
        let is_on = early.boolean("enable")?.unwrap_or(false);
        let default = EarlySuccess::default();
        let criteria = EarlySuccess {
            healthy_percent: early.count("healthyPercent")?.unwrap_or(default.healthy_percent),
            cleanup: early
                .text("sourceServiceRevisionCleanup")?
                .unwrap_or(&default.cleanup)
                .to_owned(),
        };
        strategy.early_success = is_on.then_some(criteria);
    }
    if configuration.names().any(|name| name == "lifecycleHooks") {
        strategy.hooks = configuration
            .structures("lifecycleHooks")?
            .unwrap_or_default()
            .into_iter()
            .map(hook)
            .collect::<Result<_, _>>()?;
    }
    Ok(strategy)
}

fn hook(members: Members<'_>) -> Result<Hook, Refusal> {
    let default = Hook::default();
    let target_type = members.text("targetType")?.unwrap_or(&default.target_type).to_owned();
    if !["AWS_LAMBDA", "PAUSE"].contains(&target_type.as_str()) {
        return Err(Refusal::invalid_parameter(
            "Invalid targetType. Valid values are: AWS_LAMBDA, PAUSE",
        ));
    }
    let limit = members.structure("timeoutConfiguration")?;
    let minutes = limit.map_or(Ok(None), |limit| limit.count("timeoutInMinutes"))?;
    let action = limit.map_or(Ok(None), |limit| limit.text("action"))?;
    Ok(Hook {
        target_type,
        target_arn: members.text("hookTargetArn")?.map(str::to_owned),
        role_arn: members.text("roleArn")?.map(str::to_owned),
        stages: members
            .texts("lifecycleStages")?
            .into_iter()
            .map(str::to_owned)
            .collect(),
        timeout: minutes.map_or(default.timeout, in_minutes),
        on_timeout: action.unwrap_or(&default.on_timeout).to_owned(),
        answer: default.answer,
        answers_after: None,
    })
}

fn percent(members: Members<'_>, name: &str) -> Result<Option<u32>, Refusal> {
    let given = members.double(name)?;
    let read = |percent| {
        share(percent)
            .ok_or_else(|| Refusal::invalid_parameter(format!("{name} must be a multiple of 0.1 from 0.1 to 100.0")))
    };
    given.map(read).transpose()
}

fn in_minutes(minutes: u32) -> Duration {
    Duration::from_secs(u64::from(minutes) * 60)
}

fn minutes(span: Duration) -> Value {
    json!(span.as_secs() / 60)
}

fn percents(tenths: u32) -> Value {
    json!(f64::from(tenths) / 10.0)
}

/// The members of `deploymentConfiguration` that are no limits.
pub(super) fn document(strategy: &Strategy) -> [(&'static str, Option<Value>); 7] {
    let is = |kind| strategy.kind == kind;
    let linear =
        json!({"stepPercent": percents(strategy.linear.step), "stepBakeTimeInMinutes": minutes(strategy.linear.bake)});
    let canary = json!({"canaryPercent": percents(strategy.canary.share), "canaryBakeTimeInMinutes": minutes(strategy.canary.bake)});
    let alarms = strategy
        .alarms
        .as_ref()
        .map(|watch| json!({"alarmNames": watch.names, "enable": watch.enable, "rollback": watch.rollback}));
    let early = strategy.early_success.as_ref().map(|early| {
        json!({"enable": true, "healthyPercent": early.healthy_percent, "sourceServiceRevisionCleanup": early.cleanup})
    });
    let hooks: Vec<Value> = strategy.hooks.iter().map(hook_document).collect();
    [
        ("strategy", Some(json!(strategy.kind.as_str()))),
        (
            "bakeTimeInMinutes",
            Some(minutes(strategy.bake_time.unwrap_or_default())),
        ),
        ("linearConfiguration", Some(linear).filter(|_| is(Kind::Linear))),
        ("canaryConfiguration", Some(canary).filter(|_| is(Kind::Canary))),
        ("alarms", alarms),
        ("earlySuccessCriteria", early),
        ("lifecycleHooks", Some(json!(hooks)).filter(|_| !hooks.is_empty())),
    ]
}

fn hook_document(hook: &Hook) -> Value {
    structure([
        ("targetType", Some(json!(hook.target_type))),
        ("hookTargetArn", hook.target_arn.as_ref().map(|arn| json!(arn))),
        ("roleArn", hook.role_arn.as_ref().map(|arn| json!(arn))),
        ("lifecycleStages", Some(json!(hook.stages))),
        (
            "timeoutConfiguration",
            Some(json!({"timeoutInMinutes": minutes(hook.timeout), "action": hook.on_timeout})),
        ),
    ])
}

/// `advancedConfiguration` of a load balancer entry.
pub(super) fn advanced(found: &crate::scenario::strategy::AdvancedConfiguration) -> Value {
    structure([
        ("alternateTargetGroupArn", Some(json!(found.alternate_target_group_arn))),
        ("productionListenerRule", Some(json!(found.production_listener_rule))),
        (
            "testListenerRule",
            found.test_listener_rule.as_ref().map(|rule| json!(rule)),
        ),
        ("roleArn", Some(json!(found.role_arn))),
    ])
}

/// How far a service deployment is.
pub(super) fn progress(deployment: &ServiceDeployment) -> [(&'static str, Option<Value>); 4] {
    let progress = &deployment.progress;
    let hooks: Vec<Value> = progress.hooks.iter().map(hook_detail).collect();
    let status = Some(progress.alarm_status.as_str())
        .filter(|status| !status.is_empty())
        .unwrap_or("DISABLED");
    let names = |list: &Vec<String>| Some(json!(list)).filter(|_| !list.is_empty());
    let alarms = structure([
        ("status", Some(json!(status))),
        ("alarmNames", names(&progress.alarms)),
        ("triggeredAlarmNames", names(&progress.triggered)),
    ]);
    [
        ("stoppedAt", progress.stopped_at.map(seconds)),
        ("lifecycleStage", progress.stage.as_ref().map(|stage| json!(stage))),
        ("lifecycleHookDetails", Some(json!(hooks)).filter(|_| !hooks.is_empty())),
        ("alarms", Some(alarms)),
    ]
}

fn hook_detail(hook: &HookDetail) -> Value {
    structure([
        ("hookId", Some(json!(hook.id))),
        ("targetType", Some(json!(hook.target_type))),
        ("targetArn", hook.target_arn.as_ref().map(|arn| json!(arn))),
        ("status", Some(json!(hook.status))),
        ("expiresAt", Some(seconds(hook.expires_at))),
        ("timeoutAction", Some(json!(hook.timeout_action))),
    ])
}

/// The shares of the traffic that a revision gets; none where no traffic shifts.
pub(super) fn weights(world: &World, service: &Service, deployment: &str) -> [(&'static str, Option<Value>); 2] {
    [
        (
            "requestedTestTrafficWeight",
            world.test_share(service, deployment).map(percents),
        ),
        (
            "requestedProductionTrafficWeight",
            world.production_share(service, deployment).map(percents),
        ),
    ]
}

/// Which target groups a revision's tasks are registered in.
pub(super) fn resolved(world: &World, service: &Service, deployment: &str) -> Option<Value> {
    let revision = service.revision_of(deployment);
    let bindings = revision.map_or(&service.load_balancers, |revision| &revision.load_balancers);
    let balancers: Vec<Value> = bindings
        .iter()
        .filter(|binding| binding.managed.is_none())
        .filter_map(|binding| {
            let group = world.group_of(binding, deployment)?;
            let rule = binding
                .advanced
                .as_ref()
                .map(|advanced| json!(advanced.production_listener_rule));
            Some(structure([
                ("targetGroupArn", Some(json!(group))),
                ("productionListenerRule", rule),
            ]))
        })
        .collect();
    (!balancers.is_empty()).then(|| json!({"loadBalancers": balancers}))
}
