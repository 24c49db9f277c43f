//! A fault as a scenario file, `--fault` and the control routes write it: one flat mapping of keys. Each fault takes the
//! keys that it reads; what is left over afterwards is what it ignores.

use std::time::Duration;

use serde::Deserialize;
use serde::de::Error as _;

use super::kinds::{ENUMS, LACKS, Moment, SIDES};
use super::scope::{CallScope, FaultScope, FaultTimetable, ForeignKind, RevisionRef, Since};
use crate::scenario::catalogue::check_name;
use crate::scenario::span::optional_span;

/// The order of the keys is the order in which a mistake lists them.
#[derive(Default, Deserialize)]
// These words are part of a message: a fault that is no mapping is told what was expected.
#[serde(expecting = "struct FaultSpec", default, deny_unknown_fields)]
pub(crate) struct FaultDocument {
    #[serde(deserialize_with = "known_name")]
    fault: String,
    #[serde(deserialize_with = "optional_span")]
    at: Option<Duration>,
    #[serde(rename = "for", deserialize_with = "optional_span")]
    lasts: Option<Duration>,
    #[serde(deserialize_with = "optional_span")]
    until: Option<Duration>,
    since: Option<Since>,
    service: Option<String>,
    target_group: Option<String>,
    container: Option<String>,
    revision: RevisionRef,
    #[serde(deserialize_with = "number")]
    pub(crate) code: Option<u16>,
    #[serde(deserialize_with = "number")]
    pub(crate) exit_code: Option<i32>,
    #[serde(deserialize_with = "optional_span")]
    pub(crate) delay: Option<Duration>,
    #[serde(deserialize_with = "known_kind")]
    kind: Option<String>,
    pub(crate) desired_count: Option<u32>,
    pub(crate) instance: Option<String>,
    pub(crate) zone: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) log: Option<String>,
    action: Option<String>,
    count: Option<u32>,
    #[serde(deserialize_with = "share")]
    share: Option<f64>,
    #[serde(deserialize_with = "rate")]
    pub(crate) rate: Option<f64>,
    pub(crate) burst: Option<u32>,
    #[serde(deserialize_with = "server_status")]
    pub(crate) status: Option<u16>,
    pub(crate) body: Option<bool>,
    pub(crate) when: Option<Moment>,
    #[serde(deserialize_with = "optional_span")]
    pub(crate) age: Option<Duration>,
    pub(crate) role: Option<String>,
    #[serde(skip)]
    scope: FaultScope,
    #[serde(skip)]
    foreign_kind: Option<ForeignKind>,
}

impl FaultDocument {
    /// Takes a duration, or the default in seconds.
    pub(crate) fn delay_or(&mut self, seconds: u64) -> Duration {
        self.delay.take().unwrap_or(Duration::from_secs(seconds))
    }

    pub(crate) fn age_or(&mut self, seconds: u64) -> Duration {
        self.age.take().unwrap_or(Duration::from_secs(seconds))
    }

    /// The fault belongs to tasks of one revision.
    pub(crate) fn of_revision(&mut self) -> &mut Self {
        self.scope.revision = std::mem::take(&mut self.revision);
        self
    }

    /// The fault belongs to one container.
    pub(crate) fn of_container(&mut self) -> &mut Self {
        self.scope.container = self.container.take();
        self.of_revision()
    }

    /// The fault belongs to one target group, or to all of the service's.
    pub(crate) fn of_group(&mut self) -> &mut Self {
        self.scope.target_group = self.target_group.take();
        self
    }

    /// Takes `kind`. One that belongs to another fault is remembered: it is no default.
    pub(crate) fn kind_of<T: Copy>(&mut self, known: &[(&'static str, T)]) -> Option<T> {
        let kind = self.kind.take()?;
        let found = known.iter().find(|(name, _)| *name == kind).map(|(_, value)| *value);
        if found.is_none() {
            let known = known.iter().map(|(name, _)| *name).collect();
            self.foreign_kind = Some(ForeignKind { kind, known });
        }
        found
    }

    pub(crate) fn name(&self) -> &str {
        &self.fault
    }

    /// A fault in the world can be of one service.
    pub(crate) fn of_service(&mut self) -> &mut Self {
        self.scope.service = self.service.take();
        self
    }

    /// A fault on the wire can be of some calls.
    pub(crate) fn calls(&mut self) -> CallScope {
        CallScope {
            action: self.action.take(),
            count: self.count.take(),
            share: self.share.take(),
        }
    }

    pub(crate) fn timetable(&self) -> FaultTimetable {
        FaultTimetable {
            at: self.at,
            lasts: self.lasts,
            until: self.until,
            since: self.since,
        }
    }

    pub(crate) fn scope(&mut self) -> FaultScope {
        std::mem::take(&mut self.scope)
    }

    pub(crate) fn foreign_kind(&mut self) -> Option<ForeignKind> {
        self.foreign_kind.take()
    }

    /// The keys that are given and that nobody has taken. What is given as it is by default is not missed.
    pub(crate) fn left(&self) -> Vec<&'static str> {
        let given = [
            ("service", self.service.is_some()),
            ("target_group", self.target_group.is_some()),
            ("container", self.container.is_some()),
            ("revision", self.revision != RevisionRef::Next),
            ("code", self.code.is_some_and(|code| code != 404)),
            ("exit_code", self.exit_code.is_some_and(|code| code != 1)),
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
        given.into_iter().filter(|(_, is)| *is).map(|(key, _)| key).collect()
    }
}

fn known_name<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = String::deserialize(deserializer)?;
    check_name(&name).map_err(|error| {
        let hint = error.hint.map(|hint| format!(": {hint}"));
        D::Error::custom(error.message + &hint.unwrap_or_default())
    })?;
    Ok(name)
}

/// A number that must be one where its key is given: an empty value is no default.
fn number<'de, D: serde::Deserializer<'de>, N: Deserialize<'de>>(deserializer: D) -> Result<Option<N>, D::Error> {
    N::deserialize(deserializer).map(Some)
}

fn known_kind<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let kind = String::deserialize(deserializer)?;
    let lacks = LACKS.iter().map(|(name, _)| *name);
    let enums = ENUMS.iter().map(|(name, _)| *name);
    let known: Vec<&str> = lacks.chain(enums).chain(SIDES.iter().map(|(name, _)| *name)).collect();
    if known.contains(&kind.as_str()) {
        return Ok(Some(kind));
    }
    Err(D::Error::custom(format!(
        "`{kind}` is no kind of anything; known are {}",
        known.join(", ")
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
