//! Going back to what ran before: to which revision, by which call, and what is said of it.
//!
//! The first failure stays the cause of the run's end; its state tells of the way back. A way back that fails, or whose
//! end was not seen, is the graver news and stands before it.

use crate::finding::{Code, Finding};
use crate::id::{ServiceName, TaskDefinitionArn};
use crate::rollout::verdict::{Outcome, Verdict};
use crate::service::{RolloutState, Service};

/// How a run takes a service back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// StopServiceDeployment with ROLLBACK: ECS goes back to what it completed last, without a deployment of its own.
    Stop { service_deployment: String },
    /// UpdateService with the revision that ran well.
    Redeploy { to: TaskDefinitionArn },
}

impl Way {
    pub fn call(&self) -> &'static str {
        match self {
            Self::Stop { .. } => "StopServiceDeployment",
            Self::Redeploy { .. } => "UpdateService",
        }
    }
}

/// What the service ran well before a run: the newest deployment that ECS calls completed. `None` where nothing says
/// so: going back to something that only might work is no way back.
pub fn last_good(service: &Service) -> Option<TaskDefinitionArn> {
    let completed = |d: &&crate::service::Deployment| d.rollout_state == Some(RolloutState::Completed);
    let stated = service.primary().filter(completed).or_else(|| {
        let others = service.deployments.iter().filter(completed);
        others.max_by_key(|d| d.updated_at)
    });
    let alone = || match service.deployments.as_slice() {
        // ECS gives no state behind a classic load balancer: then the only deployment, with all its tasks, is as good.
        [only] if only.rollout_state.is_none() && only.running_count >= only.desired_count => Some(only),
        _ => None,
    };
    stated.or_else(alone).map(|d| d.task_definition.clone())
}

/// How far a way back has come.
#[derive(Clone, Debug, PartialEq)]
pub enum WayBack {
    Complete {
        to: String,
        /// ` with 2 tasks`, or nothing.
        tasks: String,
    },
    /// Asked for, and not followed to its end.
    UnderWay {
        call: &'static str,
        to: Option<String>,
        serving: String,
        /// Why it was not followed further.
        because: Option<String>,
    },
    /// AWS has turned it away, or it came to a bad end.
    Failed { to: Option<String>, because: Finding },
    /// Whether AWS has taken the request is not known.
    Unanswered {
        call: &'static str,
        to: Option<String>,
        answer: Option<String>,
    },
    /// There was none.
    None { why: String },
}

/// What a run that wanted to go back ends with: the first failure, and what became of the way back.
pub fn conclude(first: Outcome, service: &ServiceName, ours: &TaskDefinitionArn, back: WayBack) -> Outcome {
    let Outcome {
        verdict, mut findings, ..
    } = first;
    let is_complete = matches!(back, WayBack::Complete { .. });
    let verdict = match verdict {
        Verdict::Interrupted => Verdict::Interrupted,
        // Nothing was gone back from: it is what it was.
        other if matches!(back, WayBack::None { .. }) => other,
        _ => Verdict::Failed,
    };
    let loud = loud(service, &back, verdict);
    let state = state(ours, &back);
    if let Some(cause) = findings.first_mut() {
        cause.state = Some(match (&back, cause.state.take()) {
            (WayBack::None { .. }, Some(as_it_is)) => format!("{as_it_is}; {state}"),
            _ => state,
        });
    }
    findings.splice(0..0, loud);
    Outcome {
        verdict,
        findings,
        is_rolled_back: is_complete,
    }
}

fn state(ours: &TaskDefinitionArn, back: &WayBack) -> String {
    let ours = ours.short();
    // ECS goes back by deployment: the revision may be the same.
    let stays = |to: Option<&str>| {
        if to == Some(ours) {
            String::new()
        } else {
            format!("; {ours} stays registered")
        }
    };
    match back {
        WayBack::Complete { to, tasks } => {
            format!(
                "rolled back by this run: {to} serves all traffic{tasks}{}",
                stays(Some(to))
            )
        }
        WayBack::UnderWay { call, to, serving, .. } => {
            let revision = to.as_deref().unwrap_or("what ran before");
            format!(
                "this run asked ECS to go back to {revision} ({call}); that was not complete when the run ended, and goes on \
                 without it ({serving}){}",
                stays(to.as_deref())
            )
        }
        WayBack::Failed { to, because } => {
            let revision = to.as_deref().unwrap_or("what ran before");
            let then = because.state.clone().unwrap_or_else(|| "see above".into());
            format!("not rolled back to {revision}: {then}")
        }
        WayBack::Unanswered { call, to, .. } => {
            let revision = to.as_deref().unwrap_or("what ran before");
            format!(
                "{call} was sent to go back to {revision}, and no answer has come: whether ECS goes back is not known"
            )
        }
        WayBack::None { why } => format!("not rolled back: {why}"),
    }
}

fn loud(service: &ServiceName, back: &WayBack, verdict: Verdict) -> Option<Finding> {
    let to = |to: &Option<String>| to.as_ref().map(|to| format!(" to {to}")).unwrap_or_default();
    match back {
        WayBack::Complete { .. } | WayBack::None { .. } => None,
        // A cancelled run does not wait for it: that is as it was wanted.
        WayBack::UnderWay { .. } if verdict == Verdict::Interrupted => None,
        WayBack::UnderWay {
            to: revision,
            serving,
            because,
            ..
        } => {
            let summary = format!("the rollback of `{service}`{} was not seen to its end", to(revision));
            let finding = Finding::error(Code::RollbackFailed, summary).state(serving.clone());
            Some(match because {
                Some(because) => finding.evidence("because", because.clone()),
                None => finding,
            })
        }
        WayBack::Failed { to: revision, because } => {
            let summary = format!("`{service}` could not be rolled back{}", to(revision));
            let mut finding = Finding::error(Code::RollbackFailed, summary);
            finding.evidence.push(("because".into(), because.summary.clone()));
            finding.evidence.extend(because.evidence.iter().cloned());
            finding.state.clone_from(&because.state);
            finding.hints.clone_from(&because.hints);
            Some(finding)
        }
        WayBack::Unanswered {
            call,
            to: revision,
            answer,
        } => {
            let summary = format!(
                "whether `{service}` is rolled back{} is not known: {call} got no answer",
                to(revision)
            );
            let finding = Finding::error(Code::RollbackFailed, summary);
            Some(match answer {
                Some(answer) => finding.evidence("answer", answer.clone()),
                None => finding,
            })
        }
    }
}
