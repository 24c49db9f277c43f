//! The observer: follows one deployment through snapshots until it can say how it ended.
//!
//! It does no input or output and reads no clock. Each `step` takes the time and one reading of the world, and gives
//! back what has happened and when to look again. What may be said is decided here and nowhere else:
//! `view` sorts new from old, `phase` says what is still missing, `stage` how far traffic has shifted, `standing` what
//! became of the deployment, `failure`, `placement` and `diagnose` why it fails.

pub mod attach;
pub mod cause;
pub(crate) mod drain;
pub(crate) mod event;
pub(crate) mod history;
pub mod observer;
pub mod rollback;
pub(crate) mod scope;
pub(crate) mod timeouts;
pub(crate) mod verdict;
pub mod view;
pub(crate) mod words;

pub use cause::container_facts::{ContainerFacts, Dependency, LogPlace, OwnCheck, Secret};
pub use drain::{Drain, Neighbour};
pub use event::{Generation, RolloutEvent};
pub use history::{PhaseSpan, TargetHistory};
pub use observer::unknown_value::UnknownValue;
pub use observer::{Input, Next, Observer, Step};
pub use scope::{FixedPort, Needs, Scope, Until, observe_command};
pub use verdict::{Outcome, Verdict};
pub use view::baseline::Baseline;
pub use view::phase::Phase;
pub use view::snapshot::{Place, Snapshot};
pub use view::waiting::WaitingOn;
pub use words::gone::target_group_missing;
