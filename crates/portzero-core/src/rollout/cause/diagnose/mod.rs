//! From what was seen to a cause: the first line that a person reads when a rollout fails.
//!
//! `Evidence` collects, look by look, and ranks; `gathered` has its parts. What is said of each kind of cause stands in a file of its own:
//! `beside` (what ends no task), `certain` (no waiting cures it), `explain` (tasks that ended), `lacking` (what they need to start), `unhealthy` (targets
//! that fail their check), `registration` (targets that never come into use), `infrastructure` (instances that went away), `own_end` (tasks that ran and
//! did not stay), `stopping` (old tasks that do not end when asked to) and `holding` (what holds a rollout up although nothing has failed).

mod beside;
mod certain;
mod explain;
mod gathered;
mod holding;
mod infrastructure;
mod lacking;
mod own_end;
mod registration;
mod stopping;
#[cfg(test)]
mod tests;
mod unhealthy;

use std::collections::BTreeMap;
use std::time::Duration;

use beside::Asides;
pub(crate) use gathered::BreakerCount;
use gathered::{AlarmEvidence, PlacementEvidence, ServiceEvidence, TaskEvidence};
pub(crate) use holding::Hold;
use holding::Holds;
use infrastructure::Losses;
use own_end::OwnEnds;
use registration::Registration;
use stopping::Kills;
use unhealthy::Checks;

use crate::aws_model::service::ServiceEvent;
use crate::aws_model::task::{LogStream, Task, TaskStatus};
use crate::base::finding::{Code, EvidenceLabel, Finding, Hint, HintKind, Severity};
use crate::base::text::plural;
use crate::base::time::Moment;
use crate::rollout::cause::culprit;
use crate::rollout::cause::failure::{Cause, TaskFailure};
use crate::rollout::cause::placement;
use crate::rollout::cause::placement::{Lack, PlacementTrouble};
use crate::rollout::scope::Scope;
use crate::rollout::view::limits::Limits;
use crate::rollout::view::snapshot::{Place, Snapshot};
use crate::rollout::view::waiting::WaitingOn;
use crate::rollout::view::{View, join};
use crate::rollout::words::stage;

/// What speaks for a cause, collected over the whole rollout.
#[derive(Clone, Debug, Default)]
pub(crate) struct Evidence {
    tasks: TaskEvidence,
    own_ends: OwnEnds,
    asides: Asides,
    checks: Checks,
    registration: Registration,
    losses: Losses,
    kills: Kills,
    holds: Holds,
    alarm: AlarmEvidence,
    placement: PlacementEvidence,
    service: ServiceEvidence,
}

/// A kind of cause that something speaks for.
enum Suspect<'a> {
    Alarm,
    Registration,
    Failures(Vec<&'a TaskFailure>),
    Targets,
    Placement(&'a PlacementTrouble),
    Losses,
}

impl Evidence {
    /// Adds what one look shows.
    pub(crate) fn collect(&mut self, now: Moment, snapshot: &Snapshot, view: &View, scope: &Scope) {
        self.tasks.collect(now, view, scope);
        let owners = owners(snapshot, view, scope);
        self.own_ends.collect(now, view, &owners, scope);
        self.asides.collect(view, scope);
        self.checks.collect(now, view, &owners);
        self.registration.collect(snapshot, view, &owners);
        self.losses.collect(snapshot, view, &scope.needs.containers);
        self.kills.collect(snapshot, scope);
        self.holds.collect(snapshot, view);
        self.alarm.collect(snapshot, view);
        if let Some(capacity) = &snapshot.capacity {
            self.placement.capacity = Some(capacity.clone());
        }
        if let Some(service) = &snapshot.service {
            self.service.grace = service.health_check_grace_period.unwrap_or_default();
            self.placement.limits = Some(Limits::of(service, view.desired));
        }
        if let Some(deployment) = &snapshot.service_deployment {
            self.service.deployment = Some(deployment.clone());
        }
    }

    /// A service event that is newer than the deployment; whether it is about placement.
    pub(crate) fn hear(&mut self, event: &ServiceEvent) -> bool {
        self.registration.hear(event);
        self.holds.hear(event);
        self.alarm.hear(event);
        self.placement.hear(event, self.tasks.started.len())
    }

    pub(crate) fn count_breaker(&mut self, count: BreakerCount) {
        self.service.breaker = Some(count);
    }

    /// How many tasks of ours are known to have failed.
    pub(crate) fn failures(&self) -> usize {
        self.tasks.failures.len()
    }

    pub(crate) fn was_refused_a_target(&self) -> bool {
        self.registration.was_refused()
    }

    pub(crate) fn has_lost_instances(&self) -> bool {
        !self.losses.is_empty()
    }

    /// Whether the next snapshot should carry all instances: a task of ours ended, and its instance may say why.
    pub(crate) fn wants_instances(&self) -> bool {
        self.losses.wants_instances()
    }

    /// What keeps the rollout from that for which it waits, where nothing has failed.
    pub(crate) fn hold(&self, scope: &Scope, waiting: &[WaitingOn]) -> Hold {
        self.holds.of(scope, waiting)
    }

    /// Everything that something speaks for, the cause before its symptoms.
    fn suspects(&self) -> Vec<Suspect<'_>> {
        let mut suspects = Vec::new();
        if self.alarm.words.is_some() {
            suspects.push(Suspect::Alarm);
        }
        if self.registration.is_certain() {
            suspects.push(Suspect::Registration);
        }
        // Where an instance went away, that there is no room is what follows from it.
        let is_room_gone = self.live_placement().is_some_and(|t| t.lack.is_of_instances());
        let is_cause = is_room_gone && self.has_lost_instances();
        suspects.extend(is_cause.then_some(Suspect::Losses));
        let kinds = self.tasks.kinds();
        // Where the rollout moved on after every failure, what holds it up now comes first.
        let are_past = self.tasks.failures.len() <= self.tasks.overcome;
        let told = |kind: &Vec<&TaskFailure>| matches!(&kind[0].cause, Cause::TargetUnhealthy { group } if self.checks.is_failing_in(group));
        let is_told = kinds.iter().any(told);
        let failures = kinds.into_iter().map(Suspect::Failures);
        if are_past {
            suspects.extend((self.checks.is_failing() && !is_told).then_some(Suspect::Targets));
            suspects.extend(self.live_placement().map(Suspect::Placement));
            suspects.extend(failures);
        } else {
            suspects.extend(failures);
            suspects.extend((self.checks.is_failing() && !is_told).then_some(Suspect::Targets));
            suspects.extend(self.live_placement().map(Suspect::Placement));
        }
        suspects.extend((self.has_lost_instances() && !is_cause).then_some(Suspect::Losses));
        if self.registration.is_anything() && !self.registration.is_certain() {
            suspects.push(Suspect::Registration);
        }
        suspects
    }

    /// ECS's word on placement, unless it has placed a task since.
    pub(crate) fn live_placement(&self) -> Option<&PlacementTrouble> {
        let (trouble, started) = self.placement.last_word.as_ref()?;
        (self.tasks.started.len() <= *started).then_some(trouble)
    }

    /// The most likely cause of whatever went wrong, with what else did; `None` where nothing is known.
    pub(crate) fn likely_cause(&self, scope: &Scope) -> Option<Finding> {
        if let Some(cause) = self.service.deployment.as_ref().and_then(|d| stage::cause(scope, d)) {
            return Some(cause);
        }
        let suspects = self.suspects();
        // The breaker has counted tasks that had no place, whatever was placed afterwards.
        let has_counted = self.service.breaker.is_some_and(|breaker| breaker.failures > 0);
        let placement = self.placement.last_word.as_ref().filter(|_| has_counted);
        let overcome = || Some(Suspect::Placement(&placement?.0));
        let first = suspects.into_iter().next().or_else(overcome)?;
        Some(self.explained(&first, scope))
    }

    pub(crate) fn cannot_place(&self, trouble: &PlacementTrouble, scope: &Scope) -> Finding {
        self.explained(&Suspect::Placement(trouble), scope)
    }

    /// The finding of one suspect; the others in a line each after its own evidence.
    fn explained(&self, suspect: &Suspect, scope: &Scope) -> Finding {
        let mut finding = match suspect {
            Suspect::Alarm => self.alarm(scope),
            Suspect::Registration => self.registration.finding(scope),
            Suspect::Failures(alike) => self.of_failures(alike, scope),
            Suspect::Targets => self.checks.finding(None, scope, self.service.grace),
            Suspect::Placement(trouble) => placement::cannot_place(
                trouble,
                scope,
                self.placement.capacity.as_deref(),
                self.placement.limits,
            ),
            Suspect::Losses => self.lost(scope),
        };
        let own = self.line(suspect);
        for other in self.suspects() {
            let line = self.line(&other);
            if line != own {
                finding.evidence.push(("also".into(), line));
            }
        }
        finding
    }

    fn of_failures(&self, alike: &[&TaskFailure], scope: &Scope) -> Finding {
        let mut finding = match alike.first().map(|failure| &failure.cause) {
            Some(Cause::TargetUnhealthy { group }) => self.checks.finding(Some(group), scope, self.service.grace),
            Some(cause) => explain::finding(cause, scope),
            None => Finding::error(Code::DeploymentFailed, "new tasks stop"),
        };
        if let Some(waiting) = alike.first().and_then(|failure| waits_for(failure, scope)) {
            finding.evidence.push(("needed".into(), waiting));
        }
        let line = self.line(&Suspect::Failures(alike.to_vec()));
        finding.evidence.push(("tasks".into(), line));
        if let Some(lives) = self.own_ends.lives(alike) {
            finding.evidence.push(("ended".into(), lives));
        }
        if let Some(count) = self.service.breaker.filter(|count| count.failures > 0) {
            finding.evidence.push(("breaker".into(), count.to_string()));
        }
        let stream = alike.iter().rev().find_map(|failure| self.tasks.stream_of(failure));
        if let Some(stream) = stream {
            finding.evidence.push((EvidenceLabel::Logs, stream.to_string()));
            // Of a container that logs, `explain` leaves room for this one.
            if finding.code == Code::ContainerExit {
                finding = finding.hint(whole_log(stream));
            }
        }
        finding
    }

    /// With what ECS lacks now, where it lacks anything.
    fn lost(&self, scope: &Scope) -> Finding {
        let mut finding = self.losses.finding(scope);
        if let Some(trouble) = self.live_placement() {
            let lacking = placement::cannot_place(
                trouble,
                scope,
                self.placement.capacity.as_deref(),
                self.placement.limits,
            );
            let measured = lacking
                .evidence
                .into_iter()
                .filter(|(label, _)| *label != EvidenceLabel::Ecs);
            finding.evidence.extend(measured);
        }
        finding
    }

    fn alarm(&self, scope: &Scope) -> Finding {
        let names: Vec<String> = self.alarm.names.iter().map(|name| format!("`{name}`")).collect();
        let which = match names.as_slice() {
            [] => "a CloudWatch alarm".to_owned(),
            [one] => format!("CloudWatch alarm {one}"),
            all => format!("CloudWatch alarms {}", all.join(" and ")),
        };
        let ours = scope.task_definition.short();
        let finding = Finding::error(Code::Alarm, format!("{which} ended the deployment of {ours}"));
        let words = self.alarm.words.clone().unwrap_or_default();
        let finding = finding.evidence("ecs", words);
        match self.alarm.names.first() {
            Some(name) => finding.hint(format!(
                "look at what the alarm saw: aws cloudwatch describe-alarm-history --alarm-name {name}"
            )),
            None => finding
                .evidence("alarm", "not known by name: ECS has not shown it")
                .hint("look for the alarms of the service's deployment configuration, and at what they saw"),
        }
    }

    /// One suspect in one line.
    fn line(&self, suspect: &Suspect) -> String {
        match suspect {
            Suspect::Alarm => "a CloudWatch alarm went off".into(),
            Suspect::Registration => self.registration.line(),
            Suspect::Failures(alike) => {
                let count = self.tasks.started.len().max(alike.len());
                let label = alike.first().map(|failure| failure.cause.label()).unwrap_or_default();
                format!("{} of {count} new {}: {label}", alike.len(), plural(count, "task"))
            }
            Suspect::Targets => self.checks.line(),
            Suspect::Placement(trouble)
                if matches!(trouble.lack, Lack::Limits | Lack::Address | Lack::Role | Lack::Launch) =>
            {
                trouble.lack.words().to_owned()
            }
            Suspect::Placement(trouble) => format!("no instance can take a new task: {}", trouble.lack.words()),
            Suspect::Losses => self.losses.line(),
        }
    }

    /// Warnings on what went wrong besides, where the rollout ended well all the same.
    pub(crate) fn besides(&self, scope: &Scope) -> Vec<Finding> {
        let lost = (!self.losses.is_empty()).then(|| self.losses.warning(scope));
        let kinds = self.own_ends.kinds().into_iter();
        let ended = kinds.map(|alike| self.ended_by_themselves(&alike, scope));
        ended.chain(lost).chain(self.kills.finding(scope)).collect()
    }

    /// New tasks that ended by themselves, where none of these findings speaks of them.
    pub(crate) fn untold_ends(&self, findings: &[Finding], scope: &Scope) -> Vec<Finding> {
        let is_told = |cause: &Cause| {
            let mut lines = findings.iter().flat_map(|finding| &finding.evidence);
            let has_code = findings.iter().any(|finding| finding.code == explain::code(cause));
            has_code || lines.any(|(name, line)| *name == "also" && line.ends_with(&cause.label()))
        };
        let mut kinds = self.own_ends.kinds();
        kinds.retain(|alike| !is_told(&alike[0].cause));
        kinds
            .iter()
            .map(|alike| self.ended_by_themselves(alike, scope))
            .collect()
    }

    /// What died beside tasks that do without it.
    pub(crate) fn died_beside(&self, scope: &Scope) -> Vec<Finding> {
        self.asides.notes(scope)
    }

    /// Since when no new task has ended by itself, and the longest that one of those lived.
    pub(crate) fn last_own_end(&self) -> Option<(Moment, Duration)> {
        self.own_ends.last()
    }

    fn ended_by_themselves(&self, alike: &[&TaskFailure], scope: &Scope) -> Finding {
        let mut finding = self.of_failures(alike, scope);
        let (count, label) = (alike.len(), alike[0].cause.label());
        let whom = if count == 1 { "itself" } else { "themselves" };
        finding.severity = Severity::Warning;
        finding.summary = format!(
            "{count} new {} of `{}` ended by {whom} after RUNNING: {label}",
            plural(count, "task"),
            scope.service
        );
        finding.evidence.retain(|(name, _)| name != "breaker");
        finding
    }

    /// The container whose last words may explain the finding, and where they are kept.
    pub(crate) fn last_words(&self, finding: &Finding) -> Option<&LogStream> {
        let wanted = [
            Code::ContainerExit,
            Code::OutOfMemory,
            Code::ContainerUnhealthy,
            Code::TargetUnhealthy,
        ];
        if !wanted.contains(&finding.code) {
            return None;
        }
        let kinds = self.tasks.kinds();
        let failed = kinds.iter().flatten().rev().find_map(|failure| {
            let is_it = explain::code(&failure.cause) == finding.code;
            self.tasks.stream_of(failure).filter(|_| is_it)
        });
        let live = || self.checks.task().and_then(|task| self.tasks.any_stream(task));
        failed.or_else(|| live().filter(|_| finding.code == Code::TargetUnhealthy))
    }
}

/// Why a container that is not essential can end a task: `web` waits for it.
fn waits_for(failure: &TaskFailure, scope: &Scope) -> Option<String> {
    let container = failure.cause.container()?;
    let (waiting, condition) = culprit::waiting_for(container, &scope.needs.containers)?;
    Some(format!("`{waiting}` waits for `{container}` (dependsOn, {condition})"))
}

fn whole_log(stream: &LogStream) -> Hint {
    let region = stream
        .region
        .as_ref()
        .map_or_else(String::new, |region| format!(" --region {region}"));
    let text = format!(
        "read all that it printed: aws logs get-log-events --log-group-name {} --log-stream-name {}{region}",
        stream.group, stream.name
    );
    let stream = stream.name.clone();
    Hint::new(HintKind::ReadLog { stream }, text)
}

/// Which task of ours stands behind which place.
fn owners<'a>(snapshot: &Snapshot, view: &View<'a>, scope: &Scope) -> BTreeMap<Place, &'a Task> {
    let tasks = view
        .new_tasks
        .values()
        .filter(|task| task.last_status != TaskStatus::Stopped);
    tasks
        .flat_map(|task| {
            let places = join::places(task, snapshot, scope).into_iter().flatten();
            places.map(|place| (place, *task))
        })
        .collect()
}
