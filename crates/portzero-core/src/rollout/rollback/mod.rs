//! Going back to what ran before: to which revision, by which call, and what is said of it.
//!
//! The first failure stays the cause of the run's end; its state tells of the way back. A way back that fails, or whose
//! end was not seen, is the graver news and stands before it.

use crate::aws_model::service::{RolloutState, Service, ServiceDeployment, ServiceDeploymentStatus};
use crate::base::finding::{Code, Finding};
use crate::base::id::{DeploymentId, ServiceName, TaskDefinitionArn};
use crate::rollout::verdict::{Outcome, Verdict};

/// How a run takes a service back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// StopServiceDeployment with ROLLBACK: ECS goes back to what it completed last, without a deployment of its own.
    Stop {
        /// The ARN of the service deployment.
        service_deployment: String,
    },
    /// UpdateService with the revision that ran well.
    Redeploy {
        /// The revision.
        to: TaskDefinitionArn,
    },
}

impl Way {
    /// The call that begins it.
    pub fn call(&self) -> &'static str {
        match self {
            Self::Stop { .. } => "StopServiceDeployment",
            Self::Redeploy { .. } => "UpdateService",
        }
    }
}

/// What the end of a rollout leaves behind, as far as going back is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaves {
    /// A deployment that failed or is in flight, and that ECS does not go back from itself.
    Something,
    /// Nothing, for a reason that the end itself tells.
    Nothing,
    /// Nothing, for the reason given.
    NothingBecause(&'static str),
}

/// What the service ran well before a run: the newest deployment that ECS calls completed. `None` where nothing says
/// so: going back to something that only might work is no way back.
pub fn last_good(service: &Service) -> Option<TaskDefinitionArn> {
    let completed = |d: &&crate::aws_model::service::Deployment| d.rollout_state == Some(RolloutState::Completed);
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

/// The same, leaving one deployment out of account: what was completed before it.
pub fn good_before(service: &Service, ours: &DeploymentId) -> Option<TaskDefinitionArn> {
    let mut others = service.clone();
    others.deployments.retain(|deployment| deployment.id != *ours);
    last_good(&others)
}

/// Where a rollback leads that somebody asks for: out of the deployment in flight, which ECS does itself where it can be
/// told to, else to the last revision that ran well and is another. `good`: those of the service's SUCCESSFUL
/// deployments, the newest first.
pub fn destination(
    service: &Service,
    in_flight: Option<&ServiceDeployment>,
    good: &[TaskDefinitionArn],
) -> Option<Way> {
    let current = service.primary().map(|primary| &primary.task_definition);
    if let Some(running) = in_flight.filter(|d| is_stoppable(&d.status)) {
        return Some(Way::Stop {
            service_deployment: running.arn.clone(),
        });
    }
    let still_there = last_good(service);
    let mut candidates = still_there.iter().chain(good);
    let to = candidates.find(|arn| Some(*arn) != current)?;
    Some(Way::Redeploy { to: to.clone() })
}

/// The service deployment that ECS has rolled back by itself, where that was the last thing that happened: the service is
/// back already, and another rollback would lead one further.
pub fn rolled_back_already<'a>(service: &Service, listed: &'a [ServiceDeployment]) -> Option<&'a ServiceDeployment> {
    let primary = service
        .primary()
        .filter(|d| d.rollout_state == Some(RolloutState::Completed))?;
    let newest = listed.iter().max_by_key(|d| d.created_at)?;
    let is_another = newest.deployment_id().as_ref() != Some(&primary.id);
    (newest.status == ServiceDeploymentStatus::RollbackSuccessful && is_another).then_some(newest)
}

/// What is said of that: nothing is to be done.
pub fn back_already(service: &Service, from: &ServiceDeployment) -> Finding {
    let at = service
        .primary()
        .map_or("what ran before", |primary| primary.task_definition.short());
    let summary = format!(
        "`{}` is already back at {at}: ECS rolled back its last deployment",
        service.name
    );
    let id = from
        .deployment_id()
        .map(|id| id.to_string())
        .unwrap_or_else(|| from.arn.clone());
    let mut finding = Finding::note(Code::RolledBack, summary).evidence("deployment", id);
    finding
        .evidence
        .extend(from.rollback_reason.iter().map(|reason| ("ecs".into(), reason.clone())));
    finding.hint("to go further back, name the revision: --to REVISION")
}

/// AWS stops a service deployment that has not come to its end. The states of a stop or a rollback that is on its way
/// are allowed as well, and need no other one.
pub(crate) fn is_stoppable(status: &ServiceDeploymentStatus) -> bool {
    matches!(
        status,
        ServiceDeploymentStatus::Pending | ServiceDeploymentStatus::InProgress
    )
}

/// How far a way back has come.
#[derive(Clone, Debug, PartialEq)]
pub enum RollbackReport {
    /// It is over, and the service runs what it ran before.
    Complete {
        /// The revision, `web:41`.
        to: String,
        /// `web:41 serves all traffic with 2 tasks`.
        now: String,
        /// The service wants no task, so that nothing could be verified.
        is_empty: bool,
    },
    /// Asked for, and not followed to its end.
    UnderWay {
        /// The call that asked for it.
        call: &'static str,
        /// The revision, where it is known.
        to: Option<String>,
        /// What serves, by the last look.
        serving: String,
        /// Why it was not followed further.
        because: Option<String>,
    },
    /// Asked for, and somebody else's deployment has taken over before it was complete.
    Replaced {
        /// The call that asked for it.
        call: &'static str,
        /// The revision, where it is known.
        to: Option<String>,
        /// `ecs-svc/3 (web:3)`.
        by: String,
        /// What serves, by the last look.
        serving: String,
    },
    /// AWS has turned the request away.
    Refused {
        /// The revision, where it is known.
        to: Option<String>,
        /// The refusal.
        because: Finding,
    },
    /// ECS went back, and that came to a bad end.
    Failed {
        /// The revision, where it is known.
        to: Option<String>,
        /// What went wrong.
        because: Finding,
    },
    /// Whether AWS has taken the request is not known.
    Unanswered {
        /// The call that asked for it.
        call: &'static str,
        /// The revision, where it is known.
        to: Option<String>,
        /// What came in place of an answer.
        answer: Option<String>,
    },
    /// There was none.
    None {
        /// In words that can stand behind "not rolled back by this run".
        why: String,
    },
}

/// What a run that wanted to go back ends with: the first failure, and what became of the way back.
pub fn conclude(first: Outcome, service: &ServiceName, ours: &TaskDefinitionArn, back: RollbackReport) -> Outcome {
    let Outcome {
        verdict, mut findings, ..
    } = first;
    let is_complete = matches!(back, RollbackReport::Complete { .. });
    let verdict = match verdict {
        Verdict::Interrupted => Verdict::Interrupted,
        // Nothing was gone back from: it is what it was.
        other if matches!(back, RollbackReport::None { .. }) => other,
        _ => Verdict::Failed,
    };
    let loud = loud(service, &back, verdict);
    let state = state(ours, &back);
    if let Some(cause) = findings.first_mut() {
        cause.state = Some(match (&back, cause.state.take()) {
            (
                RollbackReport::None { .. } | RollbackReport::Refused { .. } | RollbackReport::Unanswered { .. },
                Some(as_it_is),
            ) => {
                format!("{as_it_is}; {state}")
            }
            _ => state,
        });
    }
    if matches!(
        back,
        RollbackReport::Complete { .. }
            | RollbackReport::UnderWay { .. }
            | RollbackReport::Replaced { .. }
            | RollbackReport::Unanswered { .. }
    ) {
        findings
            .iter_mut()
            .for_each(|finding| finding.hints.retain(|hint| !hint.kind.is_about_what_goes_on()));
        findings.iter_mut().skip(1).for_each(|finding| finding.state = None);
    }
    findings.splice(0..0, loud);
    Outcome {
        verdict,
        findings,
        is_rolled_back: is_complete,
    }
}

/// What a run ends with that was asked for nothing but to go back.
pub fn asked_for(service: &ServiceName, back: RollbackReport) -> Outcome {
    let finding = match back {
        RollbackReport::Complete {
            now, is_empty: true, ..
        } => {
            let summary = format!("`{service}` wants no task (desired count 0): nothing to verify");
            let finding = Finding::warning(Code::NothingToVerify, summary).state(now);
            return Outcome::new(Verdict::NothingToVerify, vec![finding]);
        }
        RollbackReport::Complete { .. } => return Outcome::new(Verdict::Succeeded, Vec::new()),
        RollbackReport::None { why } => Some(Finding::error(Code::NoWayBack, why)),
        RollbackReport::Replaced { .. } => {
            let finding = loud(service, &back, Verdict::Superseded);
            return Outcome::new(Verdict::Superseded, finding.into_iter().collect());
        }
        back @ RollbackReport::Unanswered { .. } => {
            let finding = loud(service, &back, Verdict::CouldNotObserve);
            return Outcome::new(Verdict::CouldNotObserve, finding.into_iter().collect());
        }
        back => loud(service, &back, Verdict::Failed),
    };
    Outcome::new(Verdict::Failed, finding.into_iter().collect())
}

fn state(ours: &TaskDefinitionArn, back: &RollbackReport) -> String {
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
        RollbackReport::Complete { to, now, .. } => format!("rolled back by this run: {now}{}", stays(Some(to))),
        RollbackReport::UnderWay { call, to, serving, .. } => {
            let revision = to.as_deref().unwrap_or("what ran before");
            format!(
                "this run asked ECS to go back to {revision} ({call}); that was not complete when the run ended, and goes on \
                 without it (last seen: {serving}){}",
                stays(to.as_deref())
            )
        }
        RollbackReport::Replaced { call, to, by, serving } => {
            let revision = to.as_deref().unwrap_or("what ran before");
            format!(
                "this run asked ECS to go back to {revision} ({call}), and {by} took over before that was complete (last \
                 seen: {serving}){}",
                stays(to.as_deref())
            )
        }
        RollbackReport::Refused { to, .. } => {
            let revision = to.as_deref().unwrap_or("what ran before");
            format!("AWS did not let this run go back to {revision}")
        }
        RollbackReport::Failed { to, because } => {
            let revision = to.as_deref().unwrap_or("what ran before");
            let serving = because.state.clone().map(|state| format!(": {state}"));
            format!(
                "this run went back to {revision}, and that failed{}",
                serving.unwrap_or_default()
            )
        }
        RollbackReport::Unanswered { call, to, .. } => {
            let revision = to.as_deref().unwrap_or("what ran before");
            format!(
                "{call} was sent to go back to {revision}, and no answer has come: whether ECS goes back is not known"
            )
        }
        RollbackReport::None { why } => format!("not rolled back by this run: {why}"),
    }
}

fn loud(service: &ServiceName, back: &RollbackReport, verdict: Verdict) -> Option<Finding> {
    let to = |to: &Option<String>| to.as_ref().map(|to| format!(" to {to}")).unwrap_or_default();
    match back {
        RollbackReport::Complete { .. } | RollbackReport::None { .. } => None,
        // A cancelled run does not wait for it: that is as it was wanted.
        RollbackReport::UnderWay { .. } if verdict == Verdict::Interrupted => None,
        RollbackReport::UnderWay {
            to: revision,
            serving,
            because,
            ..
        } => {
            let summary = format!("the rollback of `{service}`{} was not seen to its end", to(revision));
            let finding = Finding::error(Code::RollbackFailed, summary).state(format!("last seen: {serving}"));
            Some(match because {
                Some(because) => finding.evidence("because", because.clone()),
                None => finding,
            })
        }
        RollbackReport::Replaced {
            to: revision,
            by,
            serving,
            ..
        } => {
            let summary = format!(
                "another deployment took over while `{service}` went back{}",
                to(revision)
            );
            let finding = Finding::error(Code::Superseded, summary).evidence("by", by.clone());
            Some(finding.state(format!("last seen: {serving}")))
        }
        RollbackReport::Refused { to: revision, because } | RollbackReport::Failed { to: revision, because } => {
            let summary = format!("`{service}` could not be rolled back{}", to(revision));
            let mut finding = Finding::error(Code::RollbackFailed, summary);
            finding.evidence.push(("because".into(), because.summary.clone()));
            finding.evidence.extend(because.evidence.iter().cloned());
            finding.state.clone_from(&because.state);
            finding.hints.clone_from(&because.hints);
            Some(finding)
        }
        RollbackReport::Unanswered {
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

#[cfg(test)]
mod tests;
