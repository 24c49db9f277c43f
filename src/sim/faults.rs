//! Faults: what goes wrong in a world, and when. Each has a name that `--fault` takes. What they do stands in
//! `misfortune`.

use std::time::Duration;

use serde::Deserialize;

use super::scenario::optional_span;
use crate::finding::{Code, Finding};

const FAULTS: &[(&str, &str)] = &[
    ("image-pull", "the new revision's image does not exist in its registry"),
    (
        "crash-loop",
        "the new revision's container exits with code 1 soon after it has started",
    ),
    ("unhealthy", "the new revision answers its health check with 404"),
    (
        "health-timeout",
        "the new revision does not answer its health check at all",
    ),
    (
        "container-unhealthy",
        "the new revision fails its own container health check",
    ),
    (
        "flapping",
        "the new revision's targets are healthy, then unhealthy, then healthy",
    ),
    (
        "slow-start",
        "the new revision needs 90 s before it answers its health check",
    ),
    (
        "out-of-memory",
        "the new revision's container is killed for its memory (exit code 137)",
    ),
    ("secrets", "a secret of the new revision cannot be read"),
    ("no-capacity", "no container instance has room for one more task"),
    (
        "port-clash",
        "something else on each instance already listens on the fixed host port",
    ),
    ("other-deployment", "somebody else updates the service 45 s after we do"),
    ("autoscaling", "the desired count is doubled 20 s after the update"),
    (
        "instance-loss",
        "a container instance is terminated 30 s after the update",
    ),
    ("desired-zero", "the service's desired count is 0 from the start"),
    ("not-in-use", "no listener forwards to the service's target groups"),
];

/// Every fault's name, with one line on what it does.
pub fn fault_names() -> &'static [(&'static str, &'static str)] {
    FAULTS
}

/// One fault of a scenario.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FaultSpec {
    pub fault: String,
    /// When it begins: after the first UpdateService, or after the world's start for faults that are there from the
    /// start (desired-zero, not-in-use, no-capacity, port-clash, and anything that names `revision: current`).
    #[serde(deserialize_with = "optional_span")]
    pub at: Option<Duration>,
    /// How long it lasts; absent: for good.
    #[serde(rename = "for", deserialize_with = "optional_span")]
    pub lasts: Option<Duration>,
    /// Until when, counted as `at` is.
    #[serde(deserialize_with = "optional_span")]
    pub until: Option<Duration>,
    /// Absent: every service.
    pub service: Option<String>,
    /// Absent: every target group of the service (health faults).
    pub target_group: Option<String>,
    /// `next` (what the first UpdateService deploys), `current` (what runs at the start), or a number.
    pub revision: RevisionRef,
    /// unhealthy: what the health check is answered with.
    pub code: u16,
    /// crash-loop: what the container exits with.
    pub exit_code: i32,
    /// crash-loop, out-of-memory: how long after its start; slow-start: how long it needs; flapping: each half.
    #[serde(deserialize_with = "optional_span")]
    pub delay: Option<Duration>,
    /// no-capacity: `cpu` or `memory`; absent: both, for a task may reserve no CPU.
    pub kind: Option<String>,
    /// autoscaling: the new desired count.
    pub desired_count: Option<u32>,
    /// instance-loss: which EC2 instance; absent: the first that runs a task of the service.
    pub instance: Option<String>,
    /// image-pull, secrets: the words of the failure.
    pub message: Option<String>,
}

impl Default for FaultSpec {
    fn default() -> Self {
        Self {
            fault: String::new(),
            at: None,
            lasts: None,
            until: None,
            service: None,
            target_group: None,
            revision: RevisionRef::Next,
            code: 404,
            exit_code: 1,
            delay: None,
            kind: None,
            desired_count: None,
            instance: None,
            message: None,
        }
    }
}

impl FaultSpec {
    pub fn named(name: &str) -> Self {
        Self {
            fault: name.to_owned(),
            ..Self::default()
        }
    }

    /// Whether the timetable counts from the world's start, not from the first UpdateService.
    pub(super) fn is_from_start(&self) -> bool {
        self.revision != RevisionRef::Next
            || matches!(
                self.fault.as_str(),
                "desired-zero" | "not-in-use" | "no-capacity" | "port-clash"
            )
    }

    /// no-capacity: whether it takes `cpu`, or `memory`.
    pub(super) fn takes(&self, kind: &str) -> bool {
        self.kind.as_deref().is_none_or(|own| own == kind)
    }

    pub(super) fn concerns(&self, service: &str) -> bool {
        self.service.as_deref().is_none_or(|name| name == service)
    }

    /// When it begins, counted from its base.
    pub(super) fn begins(&self) -> Duration {
        self.at.unwrap_or(Duration::from_secs(match self.fault.as_str() {
            "other-deployment" => 45,
            "autoscaling" => 20,
            "instance-loss" => 30,
            _ => 0,
        }))
    }

    /// When it ends, counted from its base.
    pub(super) fn ends(&self) -> Option<Duration> {
        self.until.or(self.lasts.map(|lasts| self.begins() + lasts))
    }
}

/// Which revision a fault belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevisionRef {
    Next,
    Current,
    Number(u64),
}

impl<'de> Deserialize<'de> for RevisionRef {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = RevisionRef;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("`next`, `current` or a revision number")
            }
            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<RevisionRef, E> {
                Ok(RevisionRef::Number(number))
            }
            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<RevisionRef, E> {
                u64::try_from(number).map(RevisionRef::Number).map_err(E::custom)
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<RevisionRef, E> {
                match text {
                    "next" => Ok(RevisionRef::Next),
                    "current" => Ok(RevisionRef::Current),
                    other => other
                        .parse()
                        .map(RevisionRef::Number)
                        .map_err(|_| E::custom(format!("`{other}` is not `next`, `current` or a revision number"))),
                }
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// Refuses an unknown fault with the nearest known one.
pub(super) fn check_name(name: &str) -> Result<(), Finding> {
    if FAULTS.iter().any(|(known, _)| *known == name) {
        return Ok(());
    }
    let nearest = FAULTS
        .iter()
        .map(|(known, _)| (strsim::damerau_levenshtein(known, name), *known))
        .min()
        .filter(|(distance, _)| *distance <= 4);
    let finding = Finding::error(Code::Config, format!("the simulator knows no fault `{name}`"));
    Err(match nearest {
        Some((_, known)) => finding.hint(format!("did you mean `{known}`?")),
        None => finding.hint("`portzero simulate --help` lists the faults"),
    })
}

/// How a container of one task behaves, as the faults in force have it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Behaviour {
    /// The task never starts: (reason of the task, reason of the container).
    pub never_starts: Option<(String, Option<String>)>,
    /// The essential container ends by itself: exit code, how long after its start, its reason.
    pub ends: Option<(i32, Duration, Option<String>)>,
}

/// How a target answers one health check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Ok,
    Code(u16),
    /// No answer in time.
    Nothing,
    /// The connection is refused.
    Refused,
}
