//! Faults: what goes wrong, and when, as a scenario file, `--fault` and the control routes say it. What they do stands
//! in `misfortune` and `strikes` for the world, and in `wire/misbehaviour` for the wire.

use std::time::Duration;

use serde::Deserialize;
use serde::de::Error as _;
use serde_json::{Map, Value};

use super::catalogue;
use super::catalogue::{Entry, OF_THE_WIRE, OF_THE_WORLD, Place, Since, TIMETABLE};
use crate::scenario::error::ScenarioError;
use crate::scenario::span::optional_span;
use crate::timestamp::Timestamp;

/// How wrong a clock is by default: more than the five minutes that AWS allows.
const SKEW: Duration = Duration::from_secs(360);

/// One fault of a scenario.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FaultSpec {
    #[serde(deserialize_with = "known_name")]
    pub fault: String,
    /// When it begins, counted from the first UpdateService or from the world's start, as `since` says.
    #[serde(deserialize_with = "optional_span")]
    pub at: Option<Duration>,
    /// How long it lasts; absent: for good, or as its line in the list says.
    #[serde(rename = "for", deserialize_with = "optional_span")]
    pub lasts: Option<Duration>,
    /// Until when, counted as `at` is.
    #[serde(deserialize_with = "optional_span")]
    pub until: Option<Duration>,
    /// What the timetable counts from. By default the first UpdateService for what happens to a new revision, and the
    /// start for what is there already, for whatever names a revision, and for everything on the wire.
    pub since: Option<Since>,
    /// Absent: every service.
    pub service: Option<String>,
    /// Absent: every target group of the service (health faults).
    pub target_group: Option<String>,
    /// `next` (what the first UpdateService deploys), `current` (what runs at the start), `any`, or a number.
    pub revision: RevisionRef,
    /// unhealthy: what the health check is answered with.
    pub code: u16,
    /// crash-loop: what the container exits with.
    pub exit_code: i32,
    /// crash-loop, out-of-memory: how long after its start; slow-start: how long it needs; flapping: each half;
    /// ignores-sigterm: how long until it is killed; slow: how late; clock-skew: how wrong the clock is.
    #[serde(deserialize_with = "optional_span")]
    pub delay: Option<Duration>,
    /// no-capacity: what is lacking; absent: CPU and memory, for a task may reserve no CPU. unknown-enum: which status.
    /// clock-skew: to which side; absent: behind.
    #[serde(deserialize_with = "known_kind")]
    pub kind: Option<String>,
    /// autoscaling: the new desired count.
    pub desired_count: Option<u32>,
    /// instance-loss and its kin: which EC2 instance; absent: the first that runs a task of the service.
    pub instance: Option<String>,
    /// az-not-enabled: which availability zone; absent: those of the service's tasks.
    pub zone: Option<String>,
    /// image-pull, secrets, service-role: the words of the failure.
    pub message: Option<String>,
    /// What the container prints, line by line, before it fails.
    pub log: Option<String>,
    /// On the wire: which calls. `ecs:DescribeServices`, `DescribeServices`, `ecs:Describe*`, `*`.
    pub action: Option<String>,
    /// On the wire: how many calls it strikes before it is over.
    pub count: Option<u32>,
    /// On the wire: which share of the calls it strikes, above 0 and up to 1; which ones the seed decides.
    #[serde(deserialize_with = "share")]
    pub share: Option<f64>,
    /// throttled: so many calls a second pass.
    #[serde(deserialize_with = "rate")]
    pub rate: Option<f64>,
    /// throttled: so many calls pass at once; absent: one second's.
    pub burst: Option<u32>,
    /// server-error, html: the HTTP status.
    #[serde(deserialize_with = "server_status")]
    pub status: Option<u16>,
    /// server-error: whether the answer has AWS's body or none.
    pub body: Option<bool>,
    /// reset: before the call has its effect, or after.
    pub when: Option<Moment>,
    /// stale, unlisted: how old.
    #[serde(deserialize_with = "optional_span")]
    pub age: Option<Duration>,
    /// denied: the caller's ARN in AWS's sentence.
    pub role: Option<String>,
    /// Set where the fault was switched on at run time: what its timetable counts from.
    #[serde(skip)]
    pub(crate) switched_on: Option<Timestamp>,
    /// Set where it was switched off at run time.
    #[serde(skip)]
    pub(crate) switched_off: bool,
}

/// On which side of a call's effect something happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Moment {
    Before,
    After,
}

impl Default for FaultSpec {
    fn default() -> Self {
        Self {
            fault: String::new(),
            at: None,
            lasts: None,
            until: None,
            since: None,
            service: None,
            target_group: None,
            revision: RevisionRef::Next,
            code: 404,
            exit_code: 1,
            delay: None,
            kind: None,
            desired_count: None,
            instance: None,
            zone: None,
            message: None,
            log: None,
            action: None,
            count: None,
            share: None,
            rate: None,
            burst: None,
            status: None,
            body: None,
            when: None,
            age: None,
            role: None,
            switched_on: None,
            switched_off: false,
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

    /// `NAME` or `NAME,KEY=VALUE,…`, with the keys of a scenario file.
    ///
    /// # Errors
    /// An unknown name or key, or a value of the wrong kind.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        let mut parts = text.split(',');
        let name = parts.next().unwrap_or_default();
        check_name(name)?;
        let mut members = Map::from_iter([("fault".to_owned(), Value::from(name))]);
        for part in parts {
            let cannot = || ScenarioError::new(format!("`{part}` of the fault `{name}` is not KEY=VALUE"));
            let (key, value) = part.split_once('=').ok_or_else(cannot)?;
            let is_text = matches!(
                key,
                "service" | "target_group" | "instance" | "message" | "log" | "kind" | "role" | "zone"
            );
            let read = serde_json::from_str::<Value>(value).ok();
            let plain = read.filter(|read| !is_text && (read.is_number() || read.is_boolean()));
            members.insert(key.trim().to_owned(), plain.unwrap_or_else(|| Value::from(value)));
        }
        serde_json::from_value(Value::Object(members))
            .map_err(|error| ScenarioError::new(format!("the fault `{name}`: {error}")))
    }

    pub(crate) fn entry(&self) -> Option<&'static Entry> {
        catalogue::entry(&self.fault)
    }

    pub(crate) fn is_on_the_wire(&self) -> bool {
        self.entry().is_some_and(|entry| entry.place == Place::Wire)
    }

    /// Whether the timetable counts from the world's start, not from the first UpdateService.
    pub(crate) fn is_from_start(&self) -> bool {
        let by_default = || self.revision != RevisionRef::Next || self.entry().is_some_and(|e| e.since == Since::Start);
        self.since.map_or_else(by_default, |since| since == Since::Start)
    }

    /// clock-skew: how wrong the caller's clock is.
    pub(crate) fn skew(&self) -> Duration {
        self.delay.unwrap_or(SKEW)
    }

    /// clock-skew: what a clock shows that is so wrong.
    pub(crate) fn shown_at(&self, now: Timestamp) -> Timestamp {
        let skew = i64::try_from(self.skew().as_millis()).unwrap_or(i64::MAX);
        let is_ahead = self.kind.as_deref() == Some("ahead");
        let shift = if is_ahead { skew } else { -skew };
        Timestamp::from_millis(now.as_millis().saturating_add(shift))
    }

    /// no-capacity: whether it takes `cpu`, or `memory`.
    pub(crate) fn takes(&self, kind: &str) -> bool {
        self.kind.as_deref().is_none_or(|own| own == kind)
    }

    pub(crate) fn concerns(&self, service: &str) -> bool {
        self.service.as_deref().is_none_or(|name| name == service)
    }

    pub(crate) fn concerns_group(&self, name: &str) -> bool {
        self.target_group.as_deref().is_none_or(|own| own == name)
    }

    /// When it begins, counted from its base.
    pub(crate) fn begins(&self) -> Duration {
        let by_default = self.by_default().map_or(0, |entry| entry.begins);
        self.at.unwrap_or(Duration::from_secs(by_default))
    }

    /// When it ends, counted from its base.
    pub(crate) fn ends(&self) -> Option<Duration> {
        let by_default = || self.by_default().and_then(|entry| entry.lasts).map(Duration::from_secs);
        let lasts = self.lasts.or_else(by_default).map(|lasts| self.begins() + lasts);
        self.until.or(lasts)
    }

    /// Its default timetable. Whoever says which calls, how many or when, or switches it on, means just that.
    fn by_default(&self) -> Option<&'static Entry> {
        let is_chosen = [
            self.action.is_some(),
            self.count.is_some(),
            self.rate.is_some(),
            self.at.is_some(),
        ]
        .contains(&true);
        let is_special = self.is_on_the_wire() && is_chosen;
        self.entry().filter(|_| !is_special && self.switched_on.is_none())
    }

    /// The keys that are given and that this fault does not read.
    pub(crate) fn ignored_keys(&self) -> Vec<&'static str> {
        let Some(entry) = self.entry() else { return Vec::new() };
        let common = match entry.place {
            Place::World => OF_THE_WORLD,
            Place::Wire => OF_THE_WIRE,
        };
        let given = [
            ("service", self.service.is_some()),
            ("target_group", self.target_group.is_some()),
            ("revision", self.revision != RevisionRef::Next),
            ("code", self.code != 404),
            ("exit_code", self.exit_code != 1),
            ("delay", self.delay.is_some()),
            ("kind", self.kind.is_some()),
            ("desired_count", self.desired_count.is_some()),
            ("instance", self.instance.is_some()),
            ("zone", self.zone.is_some()),
            ("message", self.message.is_some()),
            ("log", self.log.is_some()),
            ("action", self.action.is_some()),
            ("count", self.count.is_some()),
            ("share", self.share.is_some()),
            ("rate", self.rate.is_some()),
            ("burst", self.burst.is_some()),
            ("status", self.status.is_some()),
            ("body", self.body.is_some()),
            ("when", self.when.is_some()),
            ("age", self.age.is_some()),
            ("role", self.role.is_some()),
        ];
        let reads = |key: &str| [TIMETABLE, common, entry.keys].iter().any(|keys| keys.contains(&key));
        let ignored = given.into_iter().filter(|(key, is_given)| *is_given && !reads(key));
        ignored.map(|(key, _)| key).collect()
    }
}

/// Which revision a fault belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevisionRef {
    Next,
    Current,
    Any,
    Number(u64),
}

impl<'de> Deserialize<'de> for RevisionRef {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = RevisionRef;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("`next`, `current`, `any` or a revision number")
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
                    "any" => Ok(RevisionRef::Any),
                    other => other.parse().map(RevisionRef::Number).map_err(|_| {
                        E::custom(format!(
                            "`{other}` is not `next`, `current`, `any` or a revision number"
                        ))
                    }),
                }
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// Refuses an unknown fault with the nearest known one.
pub(crate) fn check_name(name: &str) -> Result<(), ScenarioError> {
    if catalogue::entry(name).is_some() {
        return Ok(());
    }
    let error = ScenarioError::new(format!("the simulator knows no fault `{name}`"));
    Err(match catalogue::nearest(name) {
        Some(known) => error.hint(format!("did you mean `{known}`?")),
        None => error.hint("`portzero simulate --help` lists the faults"),
    })
}

fn known_name<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = String::deserialize(deserializer)?;
    check_name(&name).map_err(|error| {
        let hint = error.hint.map(|hint| format!(": {hint}"));
        D::Error::custom(error.message + &hint.unwrap_or_default())
    })?;
    Ok(name)
}

/// What `kind` may say: of `no-capacity`, of `unknown-enum`, of `clock-skew`.
pub(crate) const LACKS: &[&str] = &[
    "cpu",
    "memory",
    "ports",
    "attribute",
    "constraint",
    "agent",
    "eni",
    "instances",
    "fargate",
];
pub(crate) const ENUMS: &[&str] = &[
    "target-state",
    "task-status",
    "rollout-state",
    "deployment-status",
    "service-deployment-status",
    "service-status",
];
pub(crate) const SIDES: &[&str] = &["behind", "ahead"];

fn known_kind<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let kind = String::deserialize(deserializer)?;
    if [LACKS, ENUMS, SIDES].iter().any(|known| known.contains(&kind.as_str())) {
        return Ok(Some(kind));
    }
    let known = [LACKS, ENUMS, SIDES].concat().join(", ");
    Err(D::Error::custom(format!(
        "`{kind}` is no kind of anything; known are {known}"
    )))
}

fn share<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    let share = f64::deserialize(deserializer)?;
    if share > 0.0 && share <= 1.0 {
        return Ok(Some(share));
    }
    Err(D::Error::custom(format!("`{share}` is no share: above 0 and up to 1")))
}

fn rate<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    let rate = f64::deserialize(deserializer)?;
    if (0.001..=1e6).contains(&rate) {
        return Ok(Some(rate));
    }
    Err(D::Error::custom(format!(
        "`{rate}` is no rate of calls a second: from 0.001 to 1000000"
    )))
}

fn server_status<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<u16>, D::Error> {
    let status = u16::deserialize(deserializer)?;
    if (500..=599).contains(&status) {
        return Ok(Some(status));
    }
    Err(D::Error::custom(format!(
        "`{status}` is no status of a server's failure: from 500 to 599"
    )))
}

/// How a container of one task behaves, as the faults in force have it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Behaviour {
    /// The task never starts: (reason of the task, reason of the container).
    pub never_starts: Option<(String, Option<String>)>,
    /// The essential container ends by itself: exit code, how long after its start, its reason.
    pub ends: Option<(i32, Duration, Option<String>)>,
}

/// How a target answers one health check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Ok,
    Code(u16),
    /// No answer in time.
    Nothing,
    /// The connection is refused.
    Refused,
}
