//! What an observer remembers from one look to the next, by what it is for.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::aws_model::service::{Deployment, ServiceDeployment};
use crate::aws_model::target::TargetState;
use crate::base::finding::Finding;
use crate::base::id::TargetGroupArn;
use crate::base::time::Moment;
use crate::rollout::event::Seen;
use crate::rollout::observer::read_outage::ReadOutage;
use crate::rollout::observer::unknown_value::UnknownValue;
use crate::rollout::scope::Scope;
use crate::rollout::timeouts;
use crate::rollout::verdict::Verdict;
use crate::rollout::view::View;
use crate::rollout::view::deployment_stage::{self, SeenStage};
use crate::rollout::view::deployment_status::DeploymentState;
use crate::rollout::view::phase::Memory;
use crate::rollout::view::snapshot::{Place, Snapshot};
use crate::rollout::view::waiting::WaitingOn;
use crate::rollout::words::last_look::LastLook;

/// What has become of the deployment, as far as it was judged. A look that may not be judged by leaves it as it was.
#[derive(Clone, Debug, Default)]
pub(super) struct Course {
    /// By the last look.
    pub standing: Option<DeploymentState>,
    pub absent_since: Option<Moment>,
    pub failed_since: Option<Moment>,
    /// Since when the service deployment of ours is being stopped without a word on why.
    pub stop_seen_at: Option<Moment>,
    /// Set once a rollback has been seen; success is impossible from then on.
    pub rollback: Option<Rollback>,
    /// The rollback has failed too: nothing is rolled back then.
    pub has_rollback_failed: bool,
    /// The deployment that has taken over: `ecs-svc/3 (web:3)`.
    pub replaced_by: Option<String>,
}

/// A rollback by ECS, as far as it was seen.
#[derive(Clone, Debug)]
pub(super) struct Rollback {
    pub to: Option<Deployment>,
    pub is_over: bool,
}

/// What was reported already, so that it is not reported again.
#[derive(Clone, Debug)]
pub(super) struct Reported {
    /// Tasks and targets, as they were reported last.
    pub seen: Seen,
    /// The ids of the service events.
    pub events: BTreeSet<String>,
    /// What ECS has been quoted with: it repeats itself for every task.
    pub event_texts: BTreeSet<String>,
    /// How many tasks the service wanted at the last look.
    pub desired: Option<u32>,
    pub breaker_failures: u32,
    /// That ECS runs it on another processor architecture.
    pub architecture: bool,
    /// What is waited for, and when that was reported.
    pub waiting: Option<(Moment, Vec<WaitingOn>)>,
    /// The stage, and the share of the production traffic in it.
    pub stage: Option<(Option<String>, Option<u32>)>,
    pub unknown: BTreeSet<UnknownValue>,
    /// That tasks are told apart by their revision.
    pub told_by_revision: bool,
}

impl Reported {
    /// Whether it is time to report what is waited for: it is another step, or nothing was said for long.
    pub(crate) fn is_wait_due(&self, on: &[WaitingOn], now: Moment) -> bool {
        let Some((at, said)) = &self.waiting else { return true };
        let is_same = said.len() == on.len() && said.iter().zip(on).all(|(a, b)| a.is_same_step(b));
        let heartbeat = if deployment_stage::is_slow(on) {
            deployment_stage::HEARTBEAT
        } else {
            timeouts::HEARTBEAT
        };
        !is_same || now.since(*at) >= heartbeat
    }
}

/// Whether what must last has lasted: since when targets are healthy or drain, and how often that broke.
#[derive(Clone, Debug, Default)]
pub(super) struct Settling {
    pub memory: Memory,
    /// Which targets there were at the last look: another set is another settling.
    healthy_places: BTreeSet<Place>,
    /// How often the new targets were all healthy and then were not.
    pub flaps: u32,
}

impl Settling {
    pub(super) fn note(&mut self, view: &View, scope: &Scope, now: Moment) {
        self.memory
            .draining_since
            .retain(|place, _| view.old_targets.contains_key(place));
        for (place, row) in &view.old_targets {
            if row.state.is_draining() {
                self.memory.draining_since.entry(place.clone()).or_insert(now);
            }
        }
        let places: BTreeSet<Place> = view.new_targets.keys().cloned().collect();
        if !view.all_healthy(scope) {
            let were_healthy = self.memory.healthy_since.take().is_some();
            self.flaps += u32::from(were_healthy && self.has_flapped(view));
        } else if self.memory.healthy_since.is_none() || places != self.healthy_places {
            self.memory.healthy_since = Some(now);
        }
        self.healthy_places = places;
        self.memory.stage = SeenStage::after(self.memory.stage.take(), view, now);
    }

    /// Whether a target that was there at the last look is out of service. That ECS wants more tasks now, or that an
    /// instance left and took its targets along, is no flapping; nor is a state whose meaning nobody knows here.
    fn has_flapped(&self, view: &View) -> bool {
        let stayed = view
            .new_targets
            .iter()
            .filter(|(place, _)| self.healthy_places.contains(*place));
        stayed.filter_map(|(_, row)| row.as_ref()).any(|row| {
            matches!(
                row.state,
                TargetState::Unhealthy | TargetState::UnhealthyDraining | TargetState::Draining | TargetState::Unused
            )
        })
    }
}

/// A look at which nothing was missing but the end of what is old, or ECS's word.
#[derive(Clone, Debug)]
pub(super) struct CompleteLook {
    pub at: Moment,
    pub verdict: Verdict,
    /// The target groups in which it was complete.
    pub groups: BTreeSet<TargetGroupArn>,
    /// What is worth knowing of the success.
    pub findings: Vec<Finding>,
    /// What was left, in words.
    pub left: String,
    /// ECS called the deployment completed then.
    pub is_called_so: bool,
    /// How many tasks of ours were known to have failed.
    pub failures: usize,
}

/// What was read, and whether reading works.
#[derive(Clone, Debug, Default)]
pub(super) struct Sight {
    /// The last look that could be taken, in words.
    pub look: LastLook,
    /// When it was taken.
    pub seen_at: Option<Moment>,
    /// What it has shown that nobody here knows.
    pub unknown: BTreeSet<UnknownValue>,
    /// What it has shown of our deployment.
    pub known: Known,
    /// Set while nothing can be read.
    pub outage: Option<ReadOutage>,
    /// Since when AWS says that something which the run needs is not there.
    pub gone_since: Option<Moment>,
    /// A look has shown our deployment.
    pub was_listed: bool,
    /// The last look at our deployment, if nothing but a drain, or ECS's word, was missing then.
    pub complete: Option<CompleteLook>,
    /// The run would have ended on a snapshot with remembered parts, or without the rules of the load balancers.
    pub wants_everything: bool,
    /// The same, although everything had been asked for: something that was asked for got no answer.
    pub is_kept_waiting: bool,
}

/// What the last look that could be taken has shown of our deployment.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    pub service_deployment: Option<ServiceDeployment>,
    pub is_completed: bool,
}

impl Known {
    pub(super) fn note(&mut self, snapshot: &Snapshot, view: &View) {
        // A read that is done without for once takes nothing from what was seen before.
        if snapshot.service_deployment.is_some() {
            self.service_deployment.clone_from(&snapshot.service_deployment);
        }
        self.is_completed = view.is_completed;
    }
}

/// What is remembered of the question where the load balancers send the requests.
#[derive(Clone, Debug, Default)]
pub(super) struct TrafficWatch {
    /// The next look is to show the rules.
    pub is_wanted: bool,
    /// This look was to show them.
    pub was_wanted: bool,
    /// The rules led elsewhere: since when that is known, and what is to be said of it.
    pub strayed: Option<(Moment, Finding)>,
}

/// When to look again, and when it is too late.
#[derive(Clone, Debug)]
pub(super) struct Pace {
    pub started_at: Moment,
    /// When something changed last.
    pub moved_at: Moment,
    /// Since when ECS cannot place a task.
    pub stuck_since: Option<Moment>,
    /// The user's, in place of a pace that follows what happens.
    pub poll_interval: Option<Duration>,
}

impl Pace {
    pub(super) fn begin(now: Moment) -> Self {
        Self {
            started_at: now,
            moved_at: now,
            stuck_since: None,
            poll_interval: None,
        }
    }

    /// The pause before the next look. `is_slow`: nothing but a stage's time, or somebody's decision, is waited for.
    pub(super) fn pause(&self, waiting: &[WaitingOn], is_slow: bool, now: Moment) -> Duration {
        if let Some(interval) = self.poll_interval {
            return interval;
        }
        if now.since(self.moved_at) < timeouts::MOVING_FOR {
            return timeouts::POLL_FAST;
        }
        if is_slow {
            return deployment_stage::POLL;
        }
        match waiting {
            // Near the end of the delay the looks come closer again.
            [
                WaitingOn::OldTargets {
                    serving: 0,
                    at_most: Some(left),
                    ..
                },
            ] if *left >= timeouts::POLL_DRAIN + timeouts::POLL_SLOW => timeouts::POLL_DRAIN,
            _ => timeouts::POLL_SLOW,
        }
    }
}
