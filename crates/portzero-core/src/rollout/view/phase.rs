//! Where a rollout stands: a pure function of one view.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::aws_model::service::Stage;
use crate::base::time::Moment;
use crate::rollout::scope::Scope;
use crate::rollout::view::deployment_stage::SeenStage;
use crate::rollout::view::snapshot::Place;
use crate::rollout::view::{View, deployment_stage};

/// The phases, in the order in which a rollout without batches goes through them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Not all new tasks run yet.
    Starting,
    /// They run; their targets are not all healthy yet.
    Registering,
    /// They are healthy, and traffic has yet to shift to them in stages.
    Shifting,
    /// They take all traffic, and the old tasks wait out the bake time.
    Baking,
    /// The new targets take the traffic; old targets or old tasks are left.
    Draining,
    /// Nothing old is left.
    Steady,
}

impl Phase {
    /// The phase that a snapshot shows.
    pub fn of(view: &View, scope: &Scope) -> Self {
        if !view.all_running() {
            Self::Starting
        } else if !view.all_healthy(scope) {
            Self::Registering
        } else if deployment_stage::is_shifting(view) {
            Self::Shifting
        } else if deployment_stage::of(view) == Some(Stage::BakeTime) {
            Self::Baking
        } else if !view.is_old_gone() {
            Self::Draining
        } else {
            Self::Steady
        }
    }

    /// As it is printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Registering => "registering",
            Self::Shifting => "shifting",
            Self::Baking => "baking",
            Self::Draining => "draining",
            Self::Steady => "steady",
        }
    }
}

/// What the observer remembers that one snapshot does not show.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// When each old target was first seen draining.
    pub draining_since: BTreeMap<Place, Moment>,
    /// Since when all new targets have been healthy without a break.
    pub healthy_since: Option<Moment>,
    /// The stage of the service deployment, and since when it has been seen.
    pub(crate) stage: Option<SeenStage>,
    /// Set once a new task has ended by itself after it was RUNNING.
    pub own_end: Option<OwnEnd>,
}

/// New tasks have ended by themselves: those that run now must prove that they stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnEnd {
    /// Since when the same tasks run, and none has ended by itself.
    pub steady_since: Moment,
    /// The longest that one lived.
    pub lived: Duration,
    /// A look may come so much later than an end.
    pub poll: Duration,
}
