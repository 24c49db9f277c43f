//! Deployment strategies beyond the rolling update (blue/green, linear, canary), as AWS describes them: settings, the
//! stages that a service deployment goes through, and what it shows of them.

use std::time::Duration;

use crate::aws_model::aws_enum::aws_enum;
use crate::aws_model::service::{DeploymentConfiguration, ManagedWay};
use crate::base::id::{TargetGroupArn, TaskDefinitionArn};
use crate::base::time::Timestamp;

/// All of the traffic, in tenths of a percent.
pub const WHOLE: u32 = 1000;

aws_enum! {
    /// How a deployment replaces the tasks of a service.
    DeploymentStrategy { Rolling = "ROLLING", BlueGreen = "BLUE_GREEN", Linear = "LINEAR", Canary = "CANARY" }
}

aws_enum! {
    /// What a lifecycle hook calls, or that it calls nothing and waits for somebody.
    HookTargetType { Lambda = "AWS_LAMBDA", Pause = "PAUSE" }
}

aws_enum! {
    /// How far a lifecycle hook of a service deployment is.
    HookStatus {
        AwaitingAction = "AWAITING_ACTION",
        InProgress = "IN_PROGRESS",
        Succeeded = "SUCCEEDED",
        Failed = "FAILED",
        TimedOut = "TIMED_OUT",
    }
}

macro_rules! stages {
    ($($(#[$doc:meta])* $variant:ident = $text:literal,)*) => {
        /// The stages of a service deployment whose traffic shifts, in their order. Source: API reference of
        /// DescribeServiceDeployments, and of the stages that lifecycle hooks may name, 2026.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Stage {
            $(
                #[doc = concat!("`", $text, "`.")]
                $(#[$doc])*
                $variant,
            )*
        }

        impl Stage {
            /// All of them, in their order.
            pub const ALL: &'static [Stage] = &[$(Stage::$variant,)*];
            /// Their spellings, in the same order.
            pub const WORDS: &'static [&'static str] = &[$($text,)*];

            /// As AWS spells it.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }

            /// As it is asked for: `stage:BAKE_TIME`.
            pub(crate) fn as_goal(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!("stage:", $text),)*
                }
            }
        }
    };
}

stages! {
    /// Only where an earlier deployment was still under way.
    ReconcileService = "RECONCILE_SERVICE",
    PreScaleUp = "PRE_SCALE_UP",
    /// The new tasks start, beside the old ones.
    ScaleUp = "SCALE_UP",
    PostScaleUp = "POST_SCALE_UP",
    TestTrafficShift = "TEST_TRAFFIC_SHIFT",
    PostTestTrafficShift = "POST_TEST_TRAFFIC_SHIFT",
    /// Hooks may be set for it; no service deployment has been seen to show it.
    PreProductionTrafficShift = "PRE_PRODUCTION_TRAFFIC_SHIFT",
    ProductionTrafficShift = "PRODUCTION_TRAFFIC_SHIFT",
    PostProductionTrafficShift = "POST_PRODUCTION_TRAFFIC_SHIFT",
    /// The new tasks have all traffic, and the old ones wait for a change of mind.
    BakeTime = "BAKE_TIME",
    /// The old tasks are stopped.
    CleanUp = "CLEAN_UP",
}

impl Stage {
    /// `None` for a stage that this version does not know: it can be shown, and is never taken for another.
    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|stage| stage.as_str() == text)
    }
}

/// The steps of the production traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrafficSteps {
    /// Of each step (LINEAR), or of the first one (CANARY), in tenths of a percent.
    pub share: u32,
    /// The wait after each step but the last.
    pub bake: Duration,
}

/// CloudWatch alarms that end a deployment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlarmWatch {
    /// Their names in CloudWatch.
    pub names: Vec<String>,
    /// Whether they are watched at all.
    pub enable: bool,
    /// Whether ECS goes back when one goes off.
    pub rollback: bool,
}

/// A lifecycle hook of a service: a function that is asked, or a pause that somebody ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// Whom the hook asks.
    pub target_type: HookTargetType,
    /// The stages at which it is asked, as AWS spells them.
    pub stages: Vec<String>,
}

impl Hook {
    /// It asks no function, but waits for somebody to continue.
    pub fn is_pause(&self) -> bool {
        self.target_type == HookTargetType::Pause
    }
}

impl DeploymentConfiguration {
    /// The old tasks stay beside the new ones while traffic shifts in stages.
    pub fn is_staged(&self) -> bool {
        use DeploymentStrategy::{BlueGreen, Canary, Linear};
        matches!(self.strategy, Some(BlueGreen | Linear | Canary))
    }

    /// How long ECS waits between the steps of the production traffic, in all.
    pub(crate) fn shift_time(&self) -> Duration {
        let Some(steps) = self.steps else { return Duration::ZERO };
        let pauses = match self.strategy {
            Some(DeploymentStrategy::Linear) => WHOLE.div_ceil(steps.share.clamp(1, WHOLE)) - 1,
            Some(DeploymentStrategy::Canary) => u32::from(steps.share < WHOLE),
            _ => 0,
        };
        steps.bake * pauses
    }

    /// The alarms that a deployment listens to.
    pub(crate) fn watched_alarms(&self) -> &[String] {
        let watch = self.alarms.as_ref().filter(|watch| watch.enable);
        watch.map(|watch| watch.names.as_slice()).unwrap_or_default()
    }
}

/// How far a service deployment is, beyond its status.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    /// `lifecycleStage`, as AWS spells it.
    pub stage: Option<String>,
    /// The share of the production traffic that is asked for on the target revision, in tenths of a percent.
    pub production_traffic: Option<u32>,
    /// The same of the test traffic.
    pub test_traffic: Option<u32>,
    /// The hooks that have begun.
    pub hooks: Vec<HookDetail>,
    /// The alarms in state ALARM that ended it.
    pub triggered_alarms: Vec<String>,
    /// It still listens to its alarms.
    pub is_monitoring: bool,
}

/// One hook of a service deployment, once it has begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookDetail {
    /// The id by which a pause is continued.
    pub id: String,
    /// Whom the hook asks.
    pub target_type: HookTargetType,
    /// The function; a pause has none.
    pub target_arn: Option<String>,
    /// How far it is.
    pub status: HookStatus,
    /// When ECS stops waiting for it.
    pub expires_at: Option<Timestamp>,
    /// What ECS does when it expires: CONTINUE or ROLLBACK.
    pub timeout_action: Option<String>,
}

impl HookDetail {
    /// It asks no function, but waits for somebody to continue.
    pub fn is_pause(&self) -> bool {
        self.target_type == HookTargetType::Pause
    }

    /// A pause that somebody has to end.
    pub(crate) fn awaits_somebody(&self) -> bool {
        self.status == HookStatus::AwaitingAction
    }

    /// It keeps the deployment in its stage.
    pub fn is_open(&self) -> bool {
        self.awaits_somebody() || self.status == HookStatus::InProgress
    }
}

/// What a deployment was resolved to (DescribeServiceRevisions).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceRevision {
    /// The ARN of the service revision; its last segment is the number of the deployment.
    pub arn: String,
    /// The revision of the task definition that was resolved.
    pub task_definition: Option<TaskDefinitionArn>,
    /// The target groups that its tasks register in. Of the two that a load balancer entry names, this tells which.
    pub target_groups: Vec<TargetGroupArn>,
    /// What ECS manages of its ingress.
    pub ways: Vec<ManagedWay>,
    /// The processor architecture that ECS runs it on, where that is another than the task definition's.
    pub cpu_architecture: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_are_known_by_name_and_order() {
        assert_eq!(Stage::named("BAKE_TIME"), Some(Stage::BakeTime));
        assert_eq!(Stage::named("bake"), None);
        assert!(Stage::PostTestTrafficShift < Stage::BakeTime && Stage::BakeTime < Stage::CleanUp);
        assert_eq!(Stage::BakeTime.as_goal(), "stage:BAKE_TIME");
    }

    #[test]
    fn the_waits_between_steps_are_counted_and_none_after_the_last() {
        let of = |strategy: &str, share| DeploymentConfiguration {
            strategy: Some(strategy.into()),
            steps: Some(TrafficSteps {
                share,
                bake: Duration::from_secs(60),
            }),
            ..DeploymentConfiguration::default()
        };
        assert_eq!(of("LINEAR", 250).shift_time(), Duration::from_secs(180));
        assert_eq!(of("LINEAR", 300).shift_time(), Duration::from_secs(180));
        assert_eq!(of("CANARY", 50).shift_time(), Duration::from_secs(60));
        assert_eq!(of("BLUE_GREEN", 50).shift_time(), Duration::ZERO);
    }
}
