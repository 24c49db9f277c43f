//! A rollout that somebody else began: which deployment there is to follow, and what was there before it, read off what
//! AWS shows now.

use std::collections::{BTreeMap, BTreeSet};

use crate::aws_model::service::{
    Deployment, DeploymentStatus, RolloutState, Service, ServiceDeployment, ServiceDeploymentStatus,
};
use crate::aws_model::task::Task;
use crate::base::finding::{Code, Finding};
use crate::base::id::{DeploymentId, TaskDefinitionArn, last_segment};
use crate::rollout::rollback::good_before;
use crate::rollout::scope::Scope;
use crate::rollout::verdict::{Outcome, Verdict};
use crate::rollout::view::baseline::Baseline;
use crate::rollout::view::snapshot::{Place, Snapshot};
use crate::rollout::view::{View, join};

/// Everything that one reading has shown of a service's deployments, present and past.
#[derive(Clone, Copy, Debug)]
pub struct AttachEvidence<'a> {
    /// The service as it was read.
    pub service: &'a Service,
    /// Its tasks and targets, read after it.
    pub snapshot: &'a Snapshot,
    /// The service deployments, newest first; `None` where they may not be read.
    pub history: Option<&'a [ServiceDeployment]>,
    /// Revisions that had to be asked for, because no list shows their deployments any more.
    pub revisions: &'a BTreeMap<DeploymentId, TaskDefinitionArn>,
}

/// Where a run can join.
#[derive(Clone, Debug, PartialEq)]
pub enum Candidate {
    /// It goes on: follow it.
    Follow(AttachDecision),
    /// There is nothing to follow (any more); what can be said of it.
    Over {
        /// The deployment that it was about, as far as it is known.
        ours: Option<AttachDecision>,
        /// How that ended.
        outcome: Outcome,
    },
}

/// The deployment that a run makes its own.
#[derive(Clone, Debug, PartialEq)]
pub struct AttachDecision {
    /// Its id.
    pub deployment: DeploymentId,
    /// `None`: AWS shows it nowhere any more.
    pub task_definition: Option<TaskDefinitionArn>,
    /// The revision that ran before it; absent where nobody can tell.
    pub previous: Option<TaskDefinitionArn>,
    /// The revision that ECS last called completed before it; absent where nobody can tell.
    pub good: Option<TaskDefinitionArn>,
}

impl<'a> AttachEvidence<'a> {
    /// The deployment of that id, else the one that ECS rolls out, rolls back, or has rolled out last.
    pub fn candidate(&self, wanted: Option<&DeploymentId>) -> Candidate {
        match wanted {
            Some(id) => self.named(&self.meant(id)),
            None => self.newest(),
        }
    }

    /// The deployment that somebody names by anything that AWS shows of it: its id, the number in that, the ARN or the id
    /// of its service deployment, the ARN of its service revision.
    pub fn meant(&self, wanted: &DeploymentId) -> DeploymentId {
        let text = wanted.as_str();
        if self.service.deployment(wanted).is_some() {
            return wanted.clone();
        }
        let is_it = |record: &&ServiceDeployment| record.arn == text || last_segment(&record.arn) == text;
        let recorded = self.records().iter().find(is_it);
        if let Some(id) = recorded.and_then(ServiceDeployment::deployment_id) {
            return id;
        }
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if is_number(text) || text.contains(":service-revision/") && is_number(last_segment(text)) {
            return DeploymentId::of_revision(text);
        }
        wanted.clone()
    }

    /// The deployments whose revision matters for [`Self::candidate`], and that none of the lists shows.
    pub fn unknown(&self, wanted: Option<&DeploymentId>) -> Vec<DeploymentId> {
        let newest = self.records().first().and_then(ServiceDeployment::deployment_id);
        let wanted = wanted.map(|id| self.meant(id));
        let mut ids: Vec<DeploymentId> = wanted.or(newest).into_iter().collect();
        let sources = ids.first().and_then(|id| self.record(id)).map(sources);
        ids.extend(sources.into_iter().flatten());
        // Of an id that is not ECS's own no service revision is known.
        ids.retain(|id| id.is_of_ecs() && self.revision(id).is_none());
        ids
    }

    fn newest(&self) -> Candidate {
        let Some(primary) = self.service.primary() else {
            return Candidate::Over {
                ours: None,
                outcome: Outcome::new(Verdict::Refused, vec![no_deployment(self.service)]),
            };
        };
        let newest = self.records().first();
        let newest_id = newest.and_then(ServiceDeployment::deployment_id);
        // The list of service deployments was read last: what it alone shows is newer than the rest.
        let is_unlisted = |id: &DeploymentId| self.service.deployment(id).is_none();
        if let (Some(record), Some(id)) = (newest, &newest_id)
            && (goes_back(record) || is_open(record) && is_unlisted(id))
            && primary.id != *id
        {
            return self.follow(id);
        }
        if !primary.is_rolling_back() {
            return self.follow(&primary.id);
        }
        match self.rolled_back_row() {
            Some(row) => self.follow(&row.id),
            None => Candidate::Over {
                ours: None,
                outcome: Outcome {
                    verdict: Verdict::Failed,
                    findings: vec![rolling_back_unnamed(self.service, primary)],
                    is_rolled_back: true,
                },
            },
        }
    }

    fn named(&self, id: &DeploymentId) -> Candidate {
        if self.service.deployment(id).is_some() {
            return self.follow(id);
        }
        let Some(record) = self.record(id) else {
            return self.over(id, Verdict::CouldNotObserve, unheard_of(self, id));
        };
        let by = self.follower(id);
        use ServiceDeploymentStatus as Status;
        match (&record.status, by) {
            (Status::RollbackSuccessful | Status::RollbackFailed, Some(by)) => {
                let finding = past(self, id, record, "ECS rolled it back").evidence("then", self.name(by));
                self.over(id, Verdict::Failed, finding)
            }
            (Status::Successful | Status::Stopped, Some(by)) => {
                let how = if record.status == Status::Successful {
                    "ECS called it successful, and a newer one has replaced it"
                } else {
                    "it was stopped, and a newer one has replaced it"
                };
                let mut finding = past(self, id, record, how).evidence("by", self.name(by));
                finding.code = Code::Superseded;
                self.over(id, Verdict::Superseded, finding)
            }
            (Status::Stopped, None) => self.over(
                id,
                Verdict::Failed,
                past(self, id, record, "it was stopped before it was done"),
            ),
            (Status::Successful | Status::Unknown(_), _) => {
                let finding = past(self, id, record, "no list shows it any more");
                self.over(id, Verdict::CouldNotObserve, finding)
            }
            _ => self.follow(id),
        }
    }

    fn follow(&self, id: &DeploymentId) -> Candidate {
        Candidate::Follow(self.ours(id))
    }

    fn over(&self, id: &DeploymentId, verdict: Verdict, finding: Finding) -> Candidate {
        Candidate::Over {
            ours: Some(self.ours(id)),
            outcome: Outcome {
                is_rolled_back: verdict == Verdict::Failed && self.record(id).is_some_and(goes_back),
                verdict,
                findings: vec![finding],
            },
        }
    }

    fn ours(&self, id: &DeploymentId) -> AttachDecision {
        AttachDecision {
            deployment: id.clone(),
            task_definition: self.revision(id),
            previous: self.previous(id),
            good: self.good(id),
        }
    }

    /// What the deployment replaces, or what ECS goes back to from it.
    fn previous(&self, ours: &DeploymentId) -> Option<TaskDefinitionArn> {
        if self.is_going_back(ours) {
            return self.service.primary().map(|p| p.task_definition.clone());
        }
        let by_record = self.record(ours).map(sources).into_iter().flatten();
        let others = self.service.deployments.iter().filter(|d| d.id != *ours);
        by_record
            .filter_map(|id| self.revision(&id))
            .next()
            .or_else(|| Some(others.max_by_key(|d| d.running_count)?.task_definition.clone()))
    }

    /// Of those that are still there, else of those that the history shows below ours.
    fn good(&self, ours: &DeploymentId) -> Option<TaskDefinitionArn> {
        let records = self.records().iter();
        let older = records.skip_while(|d| d.deployment_id().as_ref() != Some(ours)).skip(1);
        let mut done = older.filter(|d| d.status == ServiceDeploymentStatus::Successful);
        let by_record = || done.find_map(|d| self.revision(&d.deployment_id()?));
        good_before(self.service, ours).or_else(by_record)
    }

    fn revision(&self, id: &DeploymentId) -> Option<TaskDefinitionArn> {
        let listed = self.service.deployment(id).map(|d| &d.task_definition);
        let tasks = &self.snapshot.tasks;
        let task = || tasks.iter().find(|t| t.started_by.as_ref() == Some(id));
        listed
            .or_else(|| self.revisions.get(id))
            .or_else(|| task().map(|t| &t.task_definition))
            .cloned()
    }

    fn records(&self) -> &'a [ServiceDeployment] {
        self.history.unwrap_or_default()
    }

    /// The service deployment of that deployment, where the history may be read and reaches back to it.
    pub fn record(&self, id: &DeploymentId) -> Option<&'a ServiceDeployment> {
        self.records().iter().find(|d| d.deployment_id().as_ref() == Some(id))
    }

    /// The service deployment that came after it.
    fn follower(&self, id: &DeploymentId) -> Option<&'a ServiceDeployment> {
        let records = self.records();
        let at = records.iter().position(|d| d.deployment_id().as_ref() == Some(id))?;
        records.get(at.checked_sub(1)?)
    }

    /// `ecs-svc/2 (web:2)`, as far as it is known.
    fn name(&self, record: &ServiceDeployment) -> String {
        let Some(id) = record.deployment_id() else {
            return record.arn.clone();
        };
        match self.revision(&id) {
            Some(revision) => format!("{id} ({})", revision.short()),
            None => id.to_string(),
        }
    }

    /// The deployment that ECS leaves while it rolls back, where the service deployments do not name it.
    fn rolled_back_row(&self) -> Option<&'a Deployment> {
        let others = || {
            self.service
                .deployments
                .iter()
                .filter(|d| d.status.as_str() != "PRIMARY")
        };
        let failed = others().find(|d| d.rollout_state == Some(RolloutState::Failed));
        failed.or_else(|| others().max_by_key(|d| d.created_at))
    }

    /// ECS has left, or leaves, the deployment for an earlier one.
    fn is_going_back(&self, ours: &DeploymentId) -> bool {
        let Some(primary) = self.service.primary().filter(|p| p.id != *ours) else {
            return false;
        };
        let created = |d: &Deployment| d.created_at;
        let is_older = match (created(primary), self.service.deployment(ours).and_then(created)) {
            (Some(theirs), Some(own)) => theirs < own,
            _ => false,
        };
        self.record(ours).is_some_and(goes_back) || primary.is_rolling_back() || is_older
    }

    /// The world without the deployment: what was there before it, as far as it is there still. Its own tasks, targets and
    /// events, and what came after it, are news to the observer.
    pub fn before(&self, ours: &DeploymentId) -> Snapshot {
        let mut before = self.snapshot.clone();
        before.tasks.retain(|task| task.started_by.as_ref() != Some(ours));
        let own = self.service.deployment(ours);
        let has_newer = own.is_some() && !self.is_going_back(ours);
        if let Some(service) = &mut before.service {
            // Where another one is PRIMARY, and it is nothing that ECS goes back to, it is newer.
            service
                .deployments
                .retain(|d| d.id != *ours && !(has_newer && d.status == DeploymentStatus::Primary));
            let began = own.and_then(|d| d.created_at);
            service.events.retain(|event| match (event.created_at, began) {
                (Some(at), Some(began)) => at < began,
                _ => true,
            });
        }
        before
    }

    /// What was there before the deployment, for an observer that begins in the middle of it.
    pub fn baseline(&self, before: &Snapshot, scope: &Scope) -> Baseline {
        let was_rolling_back = |d: &Deployment| d.id != scope.deployment && d.began_as_rollback();
        let is_ours_in_front = self.service.primary().is_some_and(|p| p.id == scope.deployment);
        let mut baseline = Baseline::of(before, scope);
        baseline.places.extend(self.unclaimed(scope));
        baseline.was_rolling_back = is_ours_in_front && self.service.deployments.iter().any(was_rolling_back);
        baseline
    }

    /// Targets that no task can be told to stand behind, and that may be old all the same: they drain, or the instance of
    /// an old task is no longer shown, so that its target cannot be known by it. What drains goes by itself.
    fn unclaimed(&self, scope: &Scope) -> BTreeSet<Place> {
        let claimed = join::owners(self.snapshot, scope);
        let is_lost = |task: &Task| {
            let (instances, own) = (self.snapshot.instances.as_ref(), task.container_instance.as_ref());
            let is_shown = |arn| instances.is_none_or(|shown| shown.contains_key(arn));
            task.started_by.as_ref() != Some(&scope.deployment) && !own.is_none_or(is_shown)
        };
        let is_anybody_lost = self.snapshot.tasks.iter().any(is_lost);
        let mut places = BTreeSet::new();
        for (group, rows) in &self.snapshot.targets {
            let rows = rows.iter();
            let old = rows.filter(|row| is_anybody_lost || row.state.is_draining());
            places.extend(old.map(|row| (group.clone(), row.key.clone())));
        }
        places.retain(|place| !claimed.contains_key(place));
        places
    }
}

/// ECS calls the deployment completed, and nothing old is left: no rollout is in flight.
pub fn is_at_rest(snapshot: &Snapshot, scope: &Scope, baseline: &Baseline) -> bool {
    let view = View::of(snapshot, scope, baseline, &baseline.places);
    view.is_completed && view.is_old_gone()
}

fn sources(record: &ServiceDeployment) -> impl Iterator<Item = DeploymentId> {
    let numbers = record.source_revisions.iter();
    numbers.map(|number| DeploymentId::of_revision(number))
}

fn goes_back(record: &ServiceDeployment) -> bool {
    record.status.is_rollback()
}

fn is_open(record: &ServiceDeployment) -> bool {
    use ServiceDeploymentStatus::{InProgress, Pending};
    matches!(record.status, Pending | InProgress)
}

/// What runs now, for somebody whose deployment is over.
fn now(service: &Service) -> String {
    match service.primary() {
        Some(primary) => format!(
            "`{}` has {} as PRIMARY ({}): {} of {} tasks running",
            service.name,
            primary.id,
            primary.task_definition.short(),
            primary.running_count,
            primary.desired_count
        ),
        None => format!("`{}` has no deployment", service.name),
    }
}

fn past(attach_evidence: &AttachEvidence, id: &DeploymentId, record: &ServiceDeployment, how: &str) -> Finding {
    let of = match attach_evidence.revision(id) {
        Some(revision) => format!("{id} ({})", revision.short()),
        None => id.to_string(),
    };
    let summary = format!("deployment {of} of `{}` is over: {how}", attach_evidence.service.name);
    let mut finding = Finding::error(Code::DeploymentGone, summary);
    let reason = [&record.rollback_reason, &record.status_reason]
        .into_iter()
        .flatten()
        .next();
    let status = match reason {
        Some(reason) => format!("{}: {reason}", record.status.as_str()),
        None => record.status.as_str().to_owned(),
    };
    finding.evidence.push(("status".into(), status));
    finding.state(now(attach_evidence.service))
}

fn unheard_of(attach_evidence: &AttachEvidence, id: &DeploymentId) -> Finding {
    let service = attach_evidence.service;
    let listed: Vec<String> = service.deployments.iter().map(|d| d.id.to_string()).collect();
    let summary = format!("ECS shows no deployment {id} of `{}`", service.name);
    let finding = Finding::error(Code::DeploymentGone, summary)
        .evidence(
            "listed",
            if listed.is_empty() {
                "none".into()
            } else {
                listed.join(", ")
            },
        )
        .state(now(service));
    if attach_evidence.history.is_none() {
        finding.hint(
            "allow ecs:ListServiceDeployments and ecs:DescribeServiceDeployments: they tell how a deployment ended",
        )
    } else {
        finding.hint("leave out --deployment to attach to the newest one")
    }
}

fn no_deployment(service: &Service) -> Finding {
    let summary = format!("`{}` has no deployment of ECS's to follow", service.name);
    Finding::error(Code::UnsupportedController, summary)
        .evidence("controller", service.controller.as_str())
        .evidence("status", service.status.as_str())
        .state("nothing was changed")
}

fn rolling_back_unnamed(service: &Service, to: &Deployment) -> Finding {
    let summary = format!(
        "ECS is rolling `{}` back to {}",
        service.name,
        to.task_definition.short()
    );
    let mut finding = Finding::error(Code::RolledBack, summary);
    finding
        .evidence
        .extend(to.rollout_state_reason.iter().map(|r| ("ecs".into(), r.clone())));
    finding
        .evidence(
            "not known",
            "which deployment it goes back from: it is no longer listed, and the service deployments may not be read",
        )
        .state(now(service))
}

#[cfg(test)]
mod tests;
