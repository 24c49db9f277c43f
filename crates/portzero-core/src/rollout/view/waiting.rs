//! What a rollout still waits on, as values, and each in a line.

use std::fmt;
use std::time::Duration;

use crate::aws_model::service::{HookTargetType, Stage};
use crate::base::text::{counted, plural};
use crate::base::time::{Timestamp, human};

/// One reason why the rollout is not done yet: what is measured against what is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WaitingOn {
    /// The answer does not list our deployment (yet): AWS is eventually consistent.
    Listing,
    /// ECS has not started a task yet.
    FirstTask,
    /// New tasks that do not run yet.
    Tasks {
        /// How many run.
        running: u32,
        /// How many the service wants.
        desired: u32,
        /// How many stand in which other status, for example (`PENDING`, 1).
        others: Vec<(String, u32)>,
    },
    /// New targets that are not healthy yet.
    Targets {
        /// How many are healthy.
        healthy: u32,
        /// How many are wanted.
        wanted: u32,
        /// How many stand in which other state, for example (`initial`, 1).
        others: Vec<(String, u32)>,
    },
    /// Something that ECS manages of the ingress is not ACTIVE.
    Way {
        /// Whose it is: `gateway `shared``.
        name: String,
        /// What it is: `route`.
        what: &'static str,
        /// As AWS spells it.
        status: String,
    },
    /// ECS calls the deployment successful already, with fewer healthy tasks than the service wants.
    EarlySuccess {
        /// From how many percent of healthy tasks on.
        percent: u32,
    },
    /// The addresses of running new tasks, without which their targets cannot be found.
    Addresses {
        /// How many tasks are shown without one.
        unknown: u32,
    },
    /// Container health checks of the task definition.
    ContainerChecks {
        /// How many tasks pass their own check.
        healthy: u32,
        /// How many the service wants.
        desired: u32,
    },
    /// Old targets that are still registered.
    OldTargets {
        /// How many.
        left: u32,
        /// Of these, how many still take new connections.
        serving: u32,
        /// The longest that the draining ones can still take: what is left of the deregistration delay.
        at_most: Option<Duration>,
        /// The deregistration delay, where it is known.
        delay: Option<Duration>,
    },
    /// Old tasks that have not stopped.
    OldTasks {
        /// How many.
        left: u32,
        /// How many stand in which status.
        statuses: Vec<(String, u32)>,
    },
    /// ECS calls the deployment successful already, and cleans up when it likes.
    DeferredCleanUp,
    /// ECS has said that it could not register a target, and no target can be joined to its task to disprove it.
    Registration,
    /// The rules of the load balancer send the requests elsewhere; they are read once more.
    Traffic,
    /// ECS has not called the deployment completed yet.
    Completion {
        /// The rollout state, as AWS spells it; absent where ECS shows none.
        state: Option<String>,
    },
    /// All else is done; ECS watches these CloudWatch alarms for a while before it calls the deployment completed.
    Alarms {
        /// The alarms of the service.
        names: Vec<String>,
    },
    /// The deployment is in a stage that comes before what was asked for.
    Stage(StageWait),
    /// A lifecycle hook holds the deployment up.
    Hook(HookWait),
    /// The new targets must stay healthy for a while.
    Settle {
        /// What is left of the time to settle.
        left: Duration,
    },
    /// New tasks have ended by themselves: those that run now must live longer than those did.
    Outlive {
        /// The longest that one lived.
        lived: Duration,
        /// What is left of that time.
        left: Duration,
    },
    /// ECS rolls back; the end of that is awaited so that it can be told.
    Rollback {
        /// The revision that it goes back to, where that is known.
        to: Option<String>,
    },
}

impl WaitingOn {
    /// Whether two reasons differ in more than the time that is left.
    pub(crate) fn is_same_step(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::OldTargets {
                    left: a, serving: b, ..
                },
                Self::OldTargets {
                    left: c, serving: d, ..
                },
            ) => (a, b) == (c, d),
            (Self::Settle { .. }, Self::Settle { .. }) | (Self::Outlive { .. }, Self::Outlive { .. }) => true,
            (Self::Stage(one), Self::Stage(two)) => one.is_same_step(two),
            (Self::Hook(one), Self::Hook(two)) => one.id == two.id,
            _ => self == other,
        }
    }
}

fn completion(f: &mut fmt::Formatter<'_>, state: Option<&str>) -> fmt::Result {
    write!(f, "ECS to call the deployment completed")?;
    state.map_or(Ok(()), |state| write!(f, " (now {state})"))
}

impl fmt::Display for WaitingOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listing => write!(f, "ECS to list the new deployment"),
            Self::FirstTask => write!(f, "ECS to start the first new task"),
            Self::Tasks {
                running,
                desired,
                others,
            } => {
                write!(f, "new tasks: {running} of {desired} running{}", bracket(others))
            }
            Self::Targets {
                healthy,
                wanted,
                others,
            } => {
                write!(f, "new targets: {healthy} of {wanted} healthy{}", bracket(others))
            }
            Self::Way { name, what, status } => write!(f, "the {what} of {name} to be ACTIVE (now {status})"),
            Self::EarlySuccess { percent } => write!(
                f,
                "what ECS does not wait for (it calls the deployment SUCCESSFUL already, at {percent} % healthy)"
            ),
            Self::Addresses { unknown } => {
                let tasks = counted(*unknown, "running new task");
                write!(f, "ECS to show the address of {tasks}")
            }
            Self::ContainerChecks { healthy, desired } => {
                write!(f, "container health checks: {healthy} of {desired} tasks healthy")
            }
            Self::OldTargets {
                left,
                serving,
                at_most,
                delay,
            } => old_targets(f, *left, *serving, *at_most, *delay),
            Self::OldTasks { left, statuses } => {
                write!(f, "{left} old {} to stop{}", plural(*left, "task"), bracket(statuses))
            }
            Self::DeferredCleanUp => {
                f.write_str("ECS's deferred clean-up (it calls the deployment SUCCESSFUL already)")
            }
            Self::Alarms { names } => write!(f, "CloudWatch alarms to stay quiet ({})", names.join(", ")),
            Self::Stage(wait) => wait.fmt(f),
            Self::Hook(wait) => wait.fmt(f),
            Self::Registration => write!(
                f,
                "a sign that every new target is registered: ECS could not register one, and without \
                 ecs:DescribeContainerInstances nobody can tell whose the targets are"
            ),
            Self::Traffic => write!(f, "the production traffic to go to the new targets"),
            Self::Completion { state } => completion(f, state.as_deref()),
            Self::Settle { left } => write!(f, "the new targets to stay healthy for {} more", human(*left)),
            Self::Outlive { lived, left } => write!(
                f,
                "the new tasks to stay up for {} more (one ended by itself {} after RUNNING)",
                human(*left),
                human(*lived)
            ),
            Self::Rollback { to: Some(to) } => write!(f, "ECS to finish the rollback to {to}"),
            Self::Rollback { to: None } => write!(f, "ECS to finish the rollback"),
        }
    }
}

pub(crate) fn old_targets(
    f: &mut fmt::Formatter<'_>,
    left: u32,
    serving: u32,
    at_most: Option<Duration>,
    delay: Option<Duration>,
) -> fmt::Result {
    write!(f, "{left} old {} to ", plural(left, "target"))?;
    match (serving, at_most, delay) {
        (0, Some(rest), Some(delay)) if rest.is_zero() => {
            write!(f, "drain: past the deregistration delay of {} s", delay.as_secs())
        }
        (0, Some(rest), Some(delay)) => {
            write!(
                f,
                "drain, at most {} more (deregistration delay {} s)",
                human(rest),
                delay.as_secs()
            )
        }
        (0, ..) => write!(f, "drain (deregistration delay not known)"),
        (serving, ..) if serving == left => write!(f, "be taken out of service"),
        (serving, ..) => write!(f, "go: {serving} still serving, {} draining", left - serving),
    }
}

pub(crate) fn bracket(counts: &[(String, u32)]) -> String {
    if counts.is_empty() {
        return String::new();
    }
    let parts: Vec<String> = counts.iter().map(|(word, n)| format!("{n} {word}")).collect();
    format!(" ({})", parts.join(", "))
}

/// The stage that a service deployment is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageWait {
    /// As AWS spells it; `None` where it is not shown.
    pub stage: Option<String>,
    /// The new revision, `web:42`.
    pub revision: String,
    /// Its shares of the traffic, in tenths of a percent.
    pub production: Option<u32>,
    /// Its share of the test traffic, in tenths of a percent.
    pub test: Option<u32>,
    /// The longest that the timer of this stage, or of this step, can still take.
    pub left: Option<Duration>,
}

/// A lifecycle hook that keeps a deployment in its stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookWait {
    /// The id by which a pause is continued.
    pub id: String,
    /// Whom the hook asks.
    pub kind: HookTargetType,
    /// The stage that it holds up, as AWS spells it.
    pub stage: Option<String>,
    /// When ECS stops waiting for it, and how long that still is.
    pub expires: Option<(Timestamp, Duration)>,
    /// `CONTINUE` or `ROLLBACK`.
    pub then: Option<String>,
    /// The ARN of the service deployment, for whoever continues it.
    pub deployment: String,
}

/// `30 %`, `33.3 %`.
pub fn percent(tenths: u32) -> String {
    match tenths % 10 {
        0 => format!("{} %", tenths / 10),
        rest => format!("{}.{rest} %", tenths / 10),
    }
}

impl StageWait {
    pub(crate) fn is_same_step(&self, other: &Self) -> bool {
        (&self.stage, self.production, self.test) == (&other.stage, other.production, other.test)
    }
}

impl fmt::Display for StageWait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let revision = &self.revision;
        let Some(stage) = &self.stage else {
            return write!(f, "ECS to go through its stages (which one it is in is not shown)");
        };
        let share = |share: Option<u32>| share.map(|s| format!("{} of ", percent(s))).unwrap_or_default();
        match Stage::named(stage) {
            Some(Stage::BakeTime) => {
                write!(
                    f,
                    "the bake time: {}production traffic on {revision}",
                    share(self.production)
                )?;
                self.left
                    .map_or(Ok(()), |left| write!(f, ", at most {} left", human(left)))
            }
            Some(Stage::ProductionTrafficShift) => {
                let share = self.production.map(|s| format!(" {}", percent(s))).unwrap_or_default();
                write!(f, "the traffic to shift: production traffic{share} on {revision}")?;
                self.left
                    .map_or(Ok(()), |left| write!(f, ", next step in at most {}", human(left)))
            }
            Some(Stage::TestTrafficShift | Stage::PostTestTrafficShift) if self.test.is_some() => {
                write!(
                    f,
                    "stage {stage}: test traffic {} on {revision}",
                    percent(self.test.unwrap_or(0))
                )
            }
            _ => write!(f, "stage {stage}"),
        }
    }
}

impl HookWait {
    /// It waits for somebody to continue it.
    pub fn is_pause(&self) -> bool {
        self.kind == HookTargetType::Pause
    }
}

impl fmt::Display for HookWait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self
            .stage
            .as_ref()
            .map(|stage| format!(" at {stage}"))
            .unwrap_or_default();
        if self.is_pause() {
            write!(
                f,
                "a person: the PAUSE hook{at} has to be continued (hook id {})",
                self.id
            )?;
        } else {
            write!(f, "the lifecycle hook{at} to answer ({})", self.kind)?;
        }
        if let Some((at, left)) = self.expires {
            write!(f, "; it expires in {}, at {at}", human(left))?;
        }
        match self.then.as_deref() {
            Some("ROLLBACK") => write!(f, ", and then ECS rolls back"),
            Some("CONTINUE") => write!(f, ", and then ECS goes on"),
            _ => Ok(()),
        }
    }
}
