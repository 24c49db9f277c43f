//! The observer: follows one deployment through snapshots until it can say how it ended.
//!
//! It does no input or output and reads no clock. Each `step` takes the time and one reading of the world, and gives
//! back what has happened and when to look again. What may be said is decided here and nowhere else:
//! `view` sorts new from old, `phase` says what is still missing, `stage` how far traffic has shifted, `standing` what
//! became of the deployment, `failure`, `placement` and `diagnose` why it fails.

mod advice;
pub mod attach;
pub mod baseline;
pub mod blind;
pub mod change;
mod container_facts;
pub mod diagnose;
mod exit_code;
pub mod failure;
mod join;
pub mod last_look;
pub mod limits;
mod observer;
mod own_check;
mod patience;
pub mod phase;
pub mod picture;
pub mod placement;
pub mod resource;
pub mod scope;
mod service_event;
pub mod snapshot;
pub mod stage;
mod stage_words;
pub mod standing;
pub mod story;
pub mod unknown;
pub mod verdict;
pub mod view;
pub mod waiting;
pub mod way_back;
mod words;

pub use baseline::Baseline;
pub use change::{Happening, Whose};
pub use container_facts::ContainerFacts;
pub use observer::{Input, Next, Observer, Step};
pub use phase::Phase;
pub use scope::{Needs, Scope, Until};
pub use snapshot::{Place, Snapshot};
pub use story::{PhaseSpan, TargetStory};
pub use unknown::UnknownValue;
pub use verdict::{Outcome, Verdict};
pub use waiting::WaitingOn;
