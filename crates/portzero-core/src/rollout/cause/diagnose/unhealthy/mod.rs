//! New targets that do not pass the load balancer's health check: what is asked, where, what is answered, what is
//! wanted, and what else passes or fails the same check.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::aws_model::target::{TargetHealth, TargetState, TargetType};
use crate::aws_model::task::{Task, TaskStatus};
use crate::base::finding::{Code, EvidenceLabel, Finding};
use crate::base::id::{TargetGroupArn, TaskArn};
use crate::base::text::plural;
use crate::base::time::{Moment, human};
use crate::rollout::scope::Scope;
use crate::rollout::view::View;
use crate::rollout::view::snapshot::Place;

/// The dynamic host ports of the instances: Docker takes them from 32768 (Amazon Linux) or 49152 (others) upwards.
const FIRST_DYNAMIC_PORT: u16 = 32_768;

/// What the health checks of new targets have said.
#[derive(Clone, Debug, Default)]
pub(super) struct Checks {
    /// The last bad word on each of our targets, with the task behind it.
    unhealthy: BTreeMap<Place, (TargetHealth, Option<TaskArn>)>,
    /// Every place of ours.
    places: BTreeSet<Place>,
    /// Places of ours that were healthy at any look.
    passed: BTreeSet<Place>,
    /// Ports of old targets that were healthy while one of ours in the same group was not.
    old_passes: BTreeMap<TargetGroupArn, BTreeSet<u16>>,
    /// When each task of ours was first seen running, and how long it had run when it was last seen so.
    running: BTreeMap<TaskArn, (Moment, Duration)>,
}

impl Checks {
    pub(super) fn collect(&mut self, now: Moment, view: &View, owners: &BTreeMap<Place, &Task>) {
        for task in view.new_tasks.values().filter(|t| t.last_status == TaskStatus::Running) {
            let (since, lasted) = self.running.entry(task.arn.clone()).or_insert((now, Duration::ZERO));
            *lasted = now.since(*since);
        }
        for (place, row) in &view.new_targets {
            self.places.insert(place.clone());
            let Some(row) = row else { continue };
            match row.state {
                TargetState::Unhealthy => {
                    let task = owners.get(place).map(|task| task.arn.clone());
                    self.unhealthy.insert(place.clone(), ((*row).clone(), task));
                }
                TargetState::Healthy => {
                    self.unhealthy.remove(place);
                    self.passed.insert(place.clone());
                }
                _ => {}
            }
        }
        for ((group, key), row) in &view.old_targets {
            if row.state == TargetState::Healthy && self.is_failing_in(group) {
                self.old_passes.entry(group.clone()).or_default().insert(key.port);
            }
        }
    }

    pub(crate) fn is_failing(&self) -> bool {
        !self.unhealthy.is_empty()
    }

    pub(crate) fn is_failing_in(&self, group: &TargetGroupArn) -> bool {
        self.unhealthy.keys().any(|(of, _)| of == group)
    }

    /// A task behind a target that fails.
    pub(super) fn task(&self) -> Option<&TaskArn> {
        self.unhealthy.values().rev().find_map(|(_, task)| task.as_ref())
    }

    /// The group with the most failing targets.
    fn worst(&self) -> Option<&TargetGroupArn> {
        let mut counts = BTreeMap::<&TargetGroupArn, usize>::new();
        for (group, _) in self.unhealthy.keys() {
            *counts.entry(group).or_default() += 1;
        }
        counts
            .into_iter()
            .max_by_key(|(_, count)| *count)
            .map(|(group, _)| group)
    }

    pub(super) fn line(&self) -> String {
        let count = self.unhealthy.len();
        let group = self.worst().map_or("?", TargetGroupArn::name);
        format!(
            "{count} new {} unhealthy in target group `{group}`",
            plural(count, "target")
        )
    }

    /// `group`: the one whose check ECS stopped tasks for; else the worst.
    pub(super) fn finding(&self, group: Option<&TargetGroupArn>, scope: &Scope, grace: Duration) -> Finding {
        let start = format!(
            "new tasks of `{}` start but do not pass the health check of",
            scope.service
        );
        let Some(group) = group.or(self.worst()) else {
            return Finding::error(Code::TargetUnhealthy, format!("{start} the load balancer"));
        };
        let row = self.commonest(group);
        let answer = Answer::of(row);
        let got = match answer {
            Answer::Code(code) => format!(": {code}"),
            Answer::None => ": no answer".to_owned(),
            Answer::Failed => ": the check fails".to_owned(),
        };
        let summary = format!("{start} target group `{}`{got}", group.name());
        let mut finding = Finding::error(Code::TargetUnhealthy, summary);
        finding = finding.evidence("check", self.check_line(group, row, scope));
        if matches!(answer, Answer::None | Answer::Failed | Answer::Code(502..=504)) {
            finding.evidence.extend(self.start_line(grace));
        }
        finding.evidence.extend(self.neighbours(group, scope));
        for hint in self.hints(group, row, answer, scope, grace).into_iter().take(2) {
            finding.hints.push(hint.into());
        }
        finding
    }

    /// The row that most of the group's failing targets look like.
    fn commonest(&self, group: &TargetGroupArn) -> Option<&TargetHealth> {
        let rows = || {
            let of = self.unhealthy.iter().filter(|((of, _), _)| of == group);
            of.map(|(_, (row, _))| row)
        };
        rows().max_by_key(|row| rows().filter(|other| other.description == row.description).count())
    }

    fn check_line(&self, group: &TargetGroupArn, row: Option<&TargetHealth>, scope: &Scope) -> String {
        let check = scope.target_groups.get(group).map(|g| &g.health_check);
        let path = check.and_then(|c| c.path.as_deref());
        let what = match (path, check.and_then(|c| c.protocol.as_deref())) {
            (Some(path), _) => format!("GET {path}"),
            (None, Some(protocol)) => format!("{protocol} connection"),
            (None, None) => "connection".to_owned(),
        };
        let got = match Answer::of(row) {
            Answer::Code(code) => code.to_string(),
            Answer::None => match check.map(|c| c.timeout).filter(|t| !t.is_zero()) {
                Some(timeout) => format!("no answer within {}", human(timeout)),
                None => "no answer in time".to_owned(),
            },
            Answer::Failed => row
                .and_then(|r| r.description.clone())
                .unwrap_or_else(|| "failed".to_owned()),
        };
        let wants = check
            .and_then(|c| c.matcher.as_deref())
            .map(|codes| format!("wants {codes}"));
        let reason = row.and_then(|r| r.reason.clone());
        let details: Vec<String> = reason.into_iter().chain(wants).collect();
        let details = if details.is_empty() {
            String::new()
        } else {
            format!(" ({})", details.join(", "))
        };
        let port = self.port(group, row, scope);
        let failing = self.unhealthy.keys().filter(|(of, _)| of == group).count();
        let all = self.places.iter().filter(|(of, _)| of == group).count().max(failing);
        let targets = if failing == 0 {
            String::new()
        } else {
            format!(", {failing} of {all} new {}", plural(all, "target"))
        };
        format!(
            "{what}{port} in target group `{}` -> {got}{details}{targets}",
            group.name()
        )
    }

    /// The container's port, and the host's where that is another one.
    fn port(&self, group: &TargetGroupArn, row: Option<&TargetHealth>, scope: &Scope) -> String {
        let fixed = scope
            .target_groups
            .get(group)
            .and_then(|g| g.health_check.port.as_deref());
        if let Some(port) = fixed.filter(|port| *port != "traffic-port" && !port.is_empty()) {
            return format!(" on port {port}");
        }
        let bound = scope
            .bindings
            .iter()
            .find(|b| b.target_group() == Some(group))
            .map(|b| b.container_port);
        match (bound, row.map(|r| r.key.port)) {
            (Some(container), Some(host)) if container != host => format!(" on port {container} (host port {host})"),
            (Some(port), _) | (None, Some(port)) => format!(" on port {port}"),
            (None, None) => String::new(),
        }
    }

    /// How long tasks ran without passing, against the time that ECS gives them.
    fn start_line(&self, grace: Duration) -> Option<(EvidenceLabel, String)> {
        let ran = self
            .running
            .values()
            .map(|(_, lasted)| *lasted)
            .max()
            .filter(|ran| !ran.is_zero())?;
        let text = format!(
            "seen running for up to {} without passing; health check grace period {}",
            human(ran),
            human(grace)
        );
        Some(("start".into(), text))
    }

    /// What passes beside it: the old revision, and the same tasks in other target groups.
    fn neighbours(&self, group: &TargetGroupArn, scope: &Scope) -> Vec<(EvidenceLabel, String)> {
        let mut rows = Vec::new();
        if let (Some(old), true) = (&scope.previous, self.old_passes.contains_key(group)) {
            rows.push(("old".into(), format!("{} passes the same check", old.short())));
        }
        let others: BTreeSet<&TargetGroupArn> = self.passed.iter().map(|(of, _)| of).collect();
        for other in others
            .into_iter()
            .filter(|other| *other != group && !self.is_failing_in(other))
        {
            let text = format!("the same tasks pass the check of target group `{}`", other.name());
            rows.push(("other".into(), text));
        }
        rows
    }

    fn hints(
        &self,
        group: &TargetGroupArn,
        row: Option<&TargetHealth>,
        answer: Answer,
        scope: &Scope,
        grace: Duration,
    ) -> Vec<String> {
        let name = group.name();
        let settings = scope.target_groups.get(group);
        let path = settings.and_then(|g| g.health_check.path.as_deref()).unwrap_or("/");
        let ours = scope.task_definition.short();
        match answer {
            Answer::Code(code @ (301 | 302 | 303 | 307 | 308)) => vec![format!(
                "{path} redirects: point the health check of target group `{name}` at where it leads, or let it take {code} as healthy"
            )],
            Answer::Code(401 | 403) => vec![format!(
                "a health check sends no credentials: let {path} pass without, or check another path"
            )],
            Answer::Code(code @ (400 | 421)) => vec![format!(
                "a health check sends the target's address as host name: an application that takes only its own answers {code}"
            )],
            Answer::Code(500..=599) => vec![
                format!(
                    "the application itself answers with an error: its log says why{}",
                    log_of(group, scope)
                ),
                starting(grace),
            ],
            Answer::Code(_) if self.old_passes.contains_key(group) => vec![format!(
                "the container answers: see whether {ours} still serves {path}, or change the health check path of target group `{name}`"
            )],
            Answer::Code(_) => vec![format!(
                "the container answers, so check the health check path of target group `{name}`"
            )],
            Answer::None => self.silence(group, row, scope),
            Answer::Failed => vec![
                starting(grace),
                format!(
                    "or nothing listens there: read the container's log{}",
                    log_of(group, scope)
                ),
            ],
        }
    }

    /// No answer: a closed way, or nobody who listens there.
    fn silence(&self, group: &TargetGroupArn, row: Option<&TargetHealth>, scope: &Scope) -> Vec<String> {
        let port = row.map_or(0, |r| r.key.port);
        let is_ip = scope
            .target_groups
            .get(group)
            .is_some_and(|g| g.target_type == TargetType::Ip);
        let is_dynamic = !is_ip && port >= FIRST_DYNAMIC_PORT;
        let old_ports = self.old_passes.get(group);
        // What lets the old targets' ports through lets ours through.
        let is_open = old_ports.is_some_and(|ports| {
            ports.contains(&port) || is_dynamic && ports.iter().any(|old| *old >= FIRST_DYNAMIC_PORT)
        });
        let listen = "check that the application listens on 0.0.0.0, not on 127.0.0.1, and on the container port of the task definition";
        if is_open {
            let ours = scope.task_definition.short();
            return vec![
                format!(
                    "the way is open, for the old targets answer the same check: see whether {ours} starts in time and answers"
                ),
                listen.to_owned(),
            ];
        }
        let open = if is_ip {
            format!("open the tasks' security group to the load balancer on port {port}")
        } else if is_dynamic {
            "open the instances' security group to the load balancer on the ephemeral ports 32768-65535: dynamic host ports lie there".to_owned()
        } else {
            format!("open the instances' security group to the load balancer on port {port}")
        };
        vec![open, listen.to_owned()]
    }
}

fn starting(grace: Duration) -> String {
    format!(
        "if the application needs longer to start, raise the health check grace period (now {}) above its start-up time",
        human(grace)
    )
}

/// ` (log group /ecs/web)`, of the container behind the target group.
fn log_of(group: &TargetGroupArn, scope: &Scope) -> String {
    let binding = scope.bindings.iter().find(|b| b.target_group() == Some(group));
    let facts = binding.and_then(|b| scope.needs.container(&b.container_name));
    let log = facts.and_then(|facts| facts.log.as_ref());
    log.map_or_else(String::new, |log| format!(" (log group {})", log.group))
}

/// What the load balancer got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Code(u16),
    None,
    Failed,
}

impl Answer {
    /// `Health checks failed with these codes: [404]`, `Request timed out`, `Health checks failed`.
    fn of(row: Option<&TargetHealth>) -> Self {
        let Some(row) = row else { return Self::Failed };
        let words = row.description.as_deref().unwrap_or_default();
        let code = words.split('[').nth(1).and_then(|rest| {
            let end = rest.find(|c: char| !c.is_ascii_digit())?;
            rest[..end].parse().ok()
        });
        match code {
            Some(code) => Self::Code(code),
            None if row.reason.as_deref() == Some("Target.Timeout") => Self::None,
            None => Self::Failed,
        }
    }
}

#[cfg(test)]
mod tests;
