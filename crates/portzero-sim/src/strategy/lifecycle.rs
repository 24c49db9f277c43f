//! The stages of a blue/green, linear or canary deployment, and what the scheduler remembers of one.

use crate::strategy::gate::OpenHook;
use crate::timestamp::Timestamp;

/// Where a deployment stands. The scheduler's memory of it; the API shows only the stage.
#[derive(Clone, Debug)]
pub(crate) struct StageProgress {
    pub deployment: String,
    pub stage: Lifecycle,
    /// Nothing of the stage ends before this.
    pub until: Timestamp,
    /// How many steps of the production traffic have been made.
    pub steps: usize,
    pub hooks: Vec<OpenHook>,
    /// The first stage is entered with the scheduler's first look.
    pub has_begun: bool,
}

impl StageProgress {
    pub(crate) fn of(deployment: &str, reconciles: bool, from: Timestamp) -> Self {
        Self {
            deployment: deployment.to_owned(),
            stage: if reconciles {
                Lifecycle::Reconcile
            } else {
                Lifecycle::PreScaleUp
            },
            until: from,
            steps: 0,
            hooks: Vec::new(),
            has_begun: false,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lifecycle {
    Reconcile,
    PreScaleUp,
    ScaleUp,
    PostScaleUp,
    TestShift,
    PostTestShift,
    /// Hooks may be set for it, but `lifecycleStage` has no such value.
    PreProductionShift,
    ProductionShift,
    PostProductionShift,
    BakeTime,
    CleanUp,
}

impl Lifecycle {
    const ORDER: [Lifecycle; 11] = [
        Lifecycle::Reconcile,
        Lifecycle::PreScaleUp,
        Lifecycle::ScaleUp,
        Lifecycle::PostScaleUp,
        Lifecycle::TestShift,
        Lifecycle::PostTestShift,
        Lifecycle::PreProductionShift,
        Lifecycle::ProductionShift,
        Lifecycle::PostProductionShift,
        Lifecycle::BakeTime,
        Lifecycle::CleanUp,
    ];

    /// What hooks name it.
    pub(crate) fn hook_name(self) -> &'static str {
        match self {
            Lifecycle::Reconcile => "RECONCILE_SERVICE",
            Lifecycle::PreScaleUp => "PRE_SCALE_UP",
            Lifecycle::ScaleUp => "SCALE_UP",
            Lifecycle::PostScaleUp => "POST_SCALE_UP",
            Lifecycle::TestShift => "TEST_TRAFFIC_SHIFT",
            Lifecycle::PostTestShift => "POST_TEST_TRAFFIC_SHIFT",
            Lifecycle::PreProductionShift => "PRE_PRODUCTION_TRAFFIC_SHIFT",
            Lifecycle::ProductionShift => "PRODUCTION_TRAFFIC_SHIFT",
            Lifecycle::PostProductionShift => "POST_PRODUCTION_TRAFFIC_SHIFT",
            Lifecycle::BakeTime => "BAKE_TIME",
            Lifecycle::CleanUp => "CLEAN_UP",
        }
    }

    /// What `lifecycleStage` shows.
    pub(super) fn shown(self) -> &'static str {
        match self {
            Lifecycle::PreProductionShift => Lifecycle::PostTestShift.hook_name(),
            other => other.hook_name(),
        }
    }

    pub(super) fn next(self) -> Option<Lifecycle> {
        let place = Self::ORDER.iter().position(|one| *one == self)?;
        Self::ORDER.get(place + 1).copied()
    }
}
