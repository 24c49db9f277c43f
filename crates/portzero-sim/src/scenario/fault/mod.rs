//! A fault of a scenario: what goes wrong, when, and whom it concerns. `document` reads it.

pub(crate) mod document;
pub(crate) mod kinds;
mod reading;
pub(crate) mod scope;

use std::time::Duration;

use document::FaultDocument;
use kinds::{Fault, Side};
use scope::{CallScope, FaultScope, FaultTimetable, ForeignKind, RevisionRef, Since};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::catalogue::{self, Entry, Layer};
use crate::scenario::error::ScenarioError;
use crate::scenario::slips;
use crate::timestamp::Timestamp;

/// One fault of a scenario. A file, `--fault` and the control routes write it as one flat mapping.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "FaultDocument")]
pub struct FaultSpec {
    /// What goes wrong.
    pub fault: Fault,
    /// When.
    pub timetable: FaultTimetable,
    /// Whom in the world it concerns.
    pub scope: FaultScope,
    /// Which calls it strikes, if it works on the wire.
    pub calls: CallScope,
    /// The keys that were given and that this fault does not read.
    pub(crate) ignored_keys: Vec<&'static str>,
    /// A `kind` of another fault: this one has no effect then.
    pub(crate) foreign_kind: Option<ForeignKind>,
    /// Set where the fault was switched on at run time: what its timetable counts from.
    pub(crate) switched_on: Option<Timestamp>,
    /// Set where it was switched off at run time.
    pub(crate) switched_off: bool,
}

impl TryFrom<FaultDocument> for FaultSpec {
    type Error = String;

    fn try_from(mut document: FaultDocument) -> Result<Self, String> {
        let fault = reading::fault(&mut document).ok_or("a fault has a name: {\"fault\": \"unhealthy\"}")?;
        let is_on_the_wire = catalogue::entry(fault.name()).is_some_and(|entry| entry.layer == Layer::Wire);
        let calls = if is_on_the_wire {
            document.calls()
        } else {
            document.of_service();
            CallScope::default()
        };
        Ok(Self {
            timetable: document.timetable(),
            scope: document.scope(),
            calls,
            ignored_keys: document.left(),
            foreign_kind: document.foreign_kind(),
            fault,
            switched_on: None,
            switched_off: false,
        })
    }
}

impl FaultSpec {
    /// A fault of every service, with its default timetable.
    pub fn new(fault: Fault) -> Self {
        Self {
            fault,
            timetable: FaultTimetable::default(),
            scope: FaultScope::default(),
            calls: CallScope::default(),
            ignored_keys: Vec::new(),
            foreign_kind: None,
            switched_on: None,
            switched_off: false,
        }
    }

    /// `NAME` or `NAME,KEY=VALUE,…`, with the keys of a scenario file.
    ///
    /// # Errors
    /// An unknown name or key, or a value of the wrong kind.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        let mut parts = text.split(',');
        let name = parts.next().unwrap_or_default();
        catalogue::check_name(name)?;
        let mut members = Map::from_iter([("fault".to_owned(), Value::from(name))]);
        for part in parts {
            let cannot = || ScenarioError::new(format!("`{part}` of the fault `{name}` is not KEY=VALUE"));
            let (key, value) = part.split_once('=').ok_or_else(cannot)?;
            let is_text = matches!(
                key,
                "service" | "target_group" | "container" | "instance" | "message" | "log" | "kind" | "role" | "zone"
            );
            let read = serde_json::from_str::<Value>(value).ok();
            let plain = read.filter(|read| !is_text && (read.is_number() || read.is_boolean()));
            members.insert(key.trim().to_owned(), plain.unwrap_or_else(|| Value::from(value)));
        }
        Self::from_document(&Value::Object(members)).map_err(|slip| ScenarioError {
            message: format!("the fault `{name}`: {}", slip.message),
            ..slip
        })
    }

    /// Reads a fault, with the key that is wrong: serde says what is wrong, and not where.
    pub(crate) fn from_document(document: &Value) -> Result<Self, ScenarioError> {
        Self::deserialize(document).map_err(|error| {
            let slip = slips::of_json(&error);
            let name = document.get("fault").unwrap_or(&Value::Null);
            let is_right = |key: &str, value: &Value| {
                let alone = Map::from_iter([("fault".to_owned(), name.clone()), (key.to_owned(), value.clone())]);
                Self::deserialize(Value::Object(alone)).is_ok()
            };
            let mut members = document.as_object().into_iter().flatten();
            match members.find(|(key, value)| !is_right(key, value)) {
                Some((key, _)) if key != "fault" && !slip.message.starts_with("unknown key") => ScenarioError {
                    message: format!("`{key}`: {}", slip.message),
                    ..slip
                },
                _ => slip,
            }
        })
    }

    pub(crate) fn entry(&self) -> Option<&'static Entry> {
        catalogue::entry(self.fault.name())
    }

    pub(crate) fn is_on_the_wire(&self) -> bool {
        self.entry().is_some_and(|entry| entry.layer == Layer::Wire)
    }

    /// Whether the timetable counts from the world's start, not from the first UpdateService.
    pub(crate) fn is_from_start(&self) -> bool {
        let is_standing = || self.entry().is_some_and(|entry| entry.since == Since::Start);
        let by_default = || self.scope.revision != RevisionRef::Next || is_standing();
        self.timetable
            .since
            .map_or_else(by_default, |since| since == Since::Start)
    }

    /// clock-skew: what the caller's clock shows.
    pub(crate) fn callers_time(&self, now: Timestamp) -> Option<Timestamp> {
        let Fault::ClockSkew { by, side } = &self.fault else {
            return None;
        };
        let skew = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        let shift = if *side == Side::Ahead { skew } else { -skew };
        Some(Timestamp::from_millis(now.as_millis().saturating_add(shift)))
    }

    pub(crate) fn concerns(&self, service: &str) -> bool {
        self.scope.service.as_deref().is_none_or(|name| name == service)
    }

    pub(crate) fn concerns_group(&self, name: &str) -> bool {
        self.scope.target_group.as_deref().is_none_or(|own| own == name)
    }

    /// When it begins, counted from its base.
    pub(crate) fn begins(&self) -> Duration {
        let by_default = self.by_default().map_or(0, |entry| entry.begins);
        self.timetable.at.unwrap_or(Duration::from_secs(by_default))
    }

    /// When it ends, counted from its base.
    pub(crate) fn ends(&self) -> Option<Duration> {
        let by_default = || self.by_default().and_then(|entry| entry.lasts).map(Duration::from_secs);
        let lasts = self.timetable.lasts.or_else(by_default);
        self.timetable.until.or(lasts.map(|lasts| self.begins() + lasts))
    }

    /// Its default timetable. It does not apply where the calls, their number or the time are given, or where the fault was switched on.
    fn by_default(&self) -> Option<&'static Entry> {
        let has_rate = matches!(self.fault, Fault::Throttled { rate: Some(_), .. });
        let is_chosen =
            self.calls.action.is_some() || self.calls.count.is_some() || has_rate || self.timetable.at.is_some();
        let is_special = self.is_on_the_wire() && is_chosen;
        self.entry().filter(|_| !is_special && self.switched_on.is_none())
    }
}
