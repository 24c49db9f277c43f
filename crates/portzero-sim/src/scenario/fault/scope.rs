//! When a fault holds, and whom it concerns: what all faults have.

use std::time::Duration;

use serde::Deserialize;

/// What a timetable counts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Since {
    /// The world's start.
    Start,
    /// The first UpdateService that makes a deployment.
    Update,
}

/// When a fault holds. What is absent has its default by the fault's line in the catalogue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FaultTimetable {
    /// When it begins, counted from the first UpdateService or from the world's start, as `since` says.
    pub at: Option<Duration>,
    /// How long it lasts; absent: for good, or as the catalogue says.
    pub lasts: Option<Duration>,
    /// Until when, counted as `at` is.
    pub until: Option<Duration>,
    /// What the timetable counts from. By default the first UpdateService for what happens to a new revision, and the
    /// start for what is there already, for whatever names a revision, and for everything on the wire.
    pub since: Option<Since>,
}

/// Whom in the world a fault concerns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FaultScope {
    /// The service's name; absent: every service.
    pub service: Option<String>,
    /// The target group's name; absent: every target group of the service.
    pub target_group: Option<String>,
    /// The container's name; absent: the first essential one.
    pub container: Option<String>,
    /// Whose tasks are struck.
    pub revision: RevisionRef,
}

/// Which calls a fault on the wire strikes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CallScope {
    /// `ecs:DescribeServices`, `DescribeServices`, `ecs:Describe*` or `*`; absent: as the catalogue says.
    pub action: Option<String>,
    /// How many calls it strikes before it is over.
    pub count: Option<u32>,
    /// Which share of the calls it strikes, above 0 and up to 1; the seed decides which ones.
    pub share: Option<f64>,
}

/// A `kind` that the fault does not know, and those that it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ForeignKind {
    pub(crate) kind: String,
    pub(crate) known: Vec<&'static str>,
}

/// Which revision a fault belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RevisionRef {
    /// What the first UpdateService deploys.
    #[default]
    Next,
    /// What runs at the start.
    Current,
    /// Every one.
    Any,
    /// The revision with this number.
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
