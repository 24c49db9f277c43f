//! How a service deploys: the strategies of the API, as scenario files and requests give them.

use std::time::Duration;

use serde::de::Deserializer;
use serde::{Deserialize, de};

use crate::scenario::span::{optional_span, span};

/// How a service deploys, beyond `minimumHealthyPercent` and `maximumPercent`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Strategy {
    /// ROLLING, BLUE_GREEN, LINEAR or CANARY.
    pub kind: Kind,
    /// How long both revisions run after the production traffic has shifted; with alarms also in rolling updates.
    #[serde(deserialize_with = "optional_span")]
    pub bake_time: Option<Duration>,
    /// For LINEAR.
    pub linear: Linear,
    /// For CANARY.
    pub canary: Canary,
    /// `lifecycleHooks`.
    pub hooks: Vec<Hook>,
    /// `alarms`.
    pub alarms: Option<AlarmWatch>,
    /// When a rolling update is successful before all of it is done.
    pub early_success: Option<EarlySuccess>,
}

/// The deployment strategies of ECS.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
pub enum Kind {
    /// A rolling update.
    #[default]
    #[serde(rename = "ROLLING")]
    Rolling,
    /// All traffic shifts at once.
    #[serde(rename = "BLUE_GREEN")]
    BlueGreen,
    /// Traffic shifts in equal steps.
    #[serde(rename = "LINEAR")]
    Linear,
    /// A small share shifts first, then the rest.
    #[serde(rename = "CANARY")]
    Canary,
}

impl Kind {
    /// As AWS spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Rolling => "ROLLING",
            Kind::BlueGreen => "BLUE_GREEN",
            Kind::Linear => "LINEAR",
            Kind::Canary => "CANARY",
        }
    }

    /// The strategy that AWS spells so.
    pub fn named(name: &str) -> Option<Kind> {
        [Kind::Rolling, Kind::BlueGreen, Kind::Linear, Kind::Canary]
            .into_iter()
            .find(|kind| kind.as_str() == name)
    }
}

/// Equal steps of the production traffic.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Linear {
    /// In tenths of a percent; a file gives percent.
    #[serde(rename = "percent", deserialize_with = "tenths")]
    pub step: u32,
    /// The wait between two steps.
    #[serde(deserialize_with = "span")]
    pub bake: Duration,
}

impl Default for Linear {
    /// The API's defaults.
    fn default() -> Self {
        Self {
            step: 100,
            bake: Duration::from_secs(6 * 60),
        }
    }
}

/// A small share first, then all.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Canary {
    /// In tenths of a percent; a file gives percent.
    #[serde(rename = "percent", deserialize_with = "tenths")]
    pub share: u32,
    /// The wait before the rest follows.
    #[serde(deserialize_with = "span")]
    pub bake: Duration,
}

impl Default for Canary {
    /// The API's defaults.
    fn default() -> Self {
        Self {
            share: 50,
            bake: Duration::from_secs(10 * 60),
        }
    }
}

/// A lifecycle hook, and what the world makes of it.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Hook {
    /// AWS_LAMBDA or PAUSE.
    pub target_type: String,
    /// The function's ARN.
    pub target_arn: Option<String>,
    /// The role that ECS invokes it with.
    pub role_arn: Option<String>,
    /// The API's names, PRE_PRODUCTION_TRAFFIC_SHIFT among them.
    pub stages: Vec<String>,
    /// How long ECS waits before it takes the time-out's action.
    #[serde(deserialize_with = "span")]
    pub timeout: Duration,
    /// CONTINUE or ROLLBACK.
    pub on_timeout: String,
    /// Of the simulated function: SUCCEEDED, FAILED, or IN_PROGRESS for ever. Of whoever answers a pause: SUCCEEDED
    /// continues, FAILED rolls back.
    pub answer: String,
    /// When the answer comes. Absent for a pause: nobody answers but ContinueServiceDeployment.
    #[serde(deserialize_with = "optional_span")]
    pub answers_after: Option<Duration>,
}

impl Default for Hook {
    fn default() -> Self {
        Self {
            target_type: "AWS_LAMBDA".into(),
            target_arn: None,
            role_arn: None,
            stages: Vec::new(),
            // The limit of a stage (Developer Guide).
            timeout: Duration::from_secs(24 * 3600),
            on_timeout: "ROLLBACK".into(),
            answer: "SUCCEEDED".into(),
            answers_after: None,
        }
    }
}

/// CloudWatch alarms that a deployment listens to.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct AlarmWatch {
    /// The alarms' names.
    pub names: Vec<String>,
    /// Whether they are listened to.
    pub enable: bool,
    /// Whether an alarm rolls back, or only fails the deployment.
    pub rollback: bool,
}

impl Default for AlarmWatch {
    fn default() -> Self {
        Self {
            names: Vec::new(),
            enable: true,
            rollback: true,
        }
    }
}

/// When a rolling update counts as successful before all of it is done.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct EarlySuccess {
    /// So many percent of the desired count healthy are enough.
    pub healthy_percent: u32,
    /// BLOCKING or DEFERRED.
    pub cleanup: String,
}

impl Default for EarlySuccess {
    fn default() -> Self {
        Self {
            healthy_percent: 100,
            cleanup: "BLOCKING".into(),
        }
    }
}

impl EarlySuccess {
    /// Whether the old tasks are stopped after the deployment is COMPLETED.
    pub fn is_deferred(&self) -> bool {
        self.cleanup == "DEFERRED"
    }
}

/// What a load balancer entry says for traffic that shifts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AdvancedConfiguration {
    /// `alternateTargetGroupArn`.
    pub alternate_target_group_arn: String,
    /// A rule of an Application Load Balancer, or a listener of a Network Load Balancer.
    pub production_listener_rule: String,
    /// `testListenerRule`.
    pub test_listener_rule: Option<String>,
    /// `roleArn`: the role that ECS changes listeners with.
    pub role_arn: String,
}

impl Strategy {
    /// Whether no traffic is shifted.
    pub fn is_rolling(&self) -> bool {
        self.kind == Kind::Rolling
    }

    /// The new revision's share of the production traffic after each step, in tenths of a percent.
    pub(crate) fn steps(&self) -> Vec<u32> {
        match self.kind {
            Kind::Rolling | Kind::BlueGreen => vec![WHOLE],
            Kind::Canary if self.canary.share >= WHOLE => vec![WHOLE],
            Kind::Canary => vec![self.canary.share, WHOLE],
            Kind::Linear => {
                let step = self.linear.step.clamp(1, WHOLE);
                (1..=WHOLE.div_ceil(step)).map(|n| (n * step).min(WHOLE)).collect()
            }
        }
    }

    /// The wait after a step; none after the last (API reference).
    pub(crate) fn pause_after(&self, share: u32) -> Duration {
        match self.kind {
            _ if share >= WHOLE => Duration::ZERO,
            Kind::Canary => self.canary.bake,
            Kind::Linear => self.linear.bake,
            Kind::Rolling | Kind::BlueGreen => Duration::ZERO,
        }
    }
}

/// Percent with at most one decimal, as tenths.
pub(crate) fn tenths<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let percent = f64::deserialize(deserializer)?;
    share(percent).ok_or_else(|| de::Error::custom(format!("`{percent}` is no share between 0.1 and 100 percent")))
}

/// A share in percent as tenths of a percent.
pub fn share(percent: f64) -> Option<u32> {
    let tenths = (percent * 10.0).round();
    // A double holds every tenth up to 100 closely enough to tell it from a finer fraction.
    let is_whole = (percent * 10.0 - tenths).abs() < 1e-6;
    (is_whole && (1.0..=1000.0).contains(&tenths)).then_some(tenths as u32)
}

/// All of the traffic, in tenths of a percent.
pub(crate) const WHOLE: u32 = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_shifts_in_its_own_steps_and_ends_with_all() {
        let of = |kind| Strategy {
            kind,
            linear: Linear {
                step: 300,
                ..Linear::default()
            },
            ..Strategy::default()
        };
        assert_eq!(of(Kind::BlueGreen).steps(), [1000]);
        assert_eq!(of(Kind::Canary).steps(), [50, 1000]);
        assert_eq!(of(Kind::Linear).steps(), [300, 600, 900, 1000]);
        assert_eq!(of(Kind::Linear).pause_after(1000), Duration::ZERO);
        assert_eq!(of(Kind::Canary).pause_after(50), Duration::from_secs(600));
    }

    #[test]
    fn shares_have_one_decimal() {
        assert_eq!(
            (share(0.1), share(33.3), share(100.0)),
            (Some(1), Some(333), Some(1000))
        );
        assert_eq!((share(0.0), share(5.55), share(100.1)), (None, None, None));
    }
}
