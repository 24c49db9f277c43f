//! From what was seen to a cause: the first line that a person reads when a rollout fails.

use std::collections::BTreeMap;

use crate::finding::{Code, Finding};
use crate::id::{TargetGroupArn, TaskArn};
use crate::rollout::failure::{self, Cause, TaskFailure};
use crate::rollout::phase::plural;
use crate::rollout::placement::{self, Lack, PlacementTrouble};
use crate::rollout::scope::Scope;
use crate::rollout::snapshot::{Place, Snapshot};
use crate::rollout::view::View;
use crate::target::{TargetHealth, TargetState, TargetType};
use crate::task::ContainerInstance;

/// The fewest like failures that make a rollout without a circuit breaker hopeless. Three is also the smallest count
/// that AWS's own circuit breaker acts on: one failure may be an accident, two a coincidence.
const LIKE_FAILURES_MIN: usize = 3;

const DYNAMIC_PORT: &str = "let ECS pick the port: hostPort 0 (`--dynamic-ports load-balanced`, the default in bridge mode), so that old and new tasks share an instance";

/// What speaks for a cause, collected over the whole rollout.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// Tasks of ours that failed, by ARN, so that each counts once.
    pub failures: BTreeMap<TaskArn, TaskFailure>,
    /// The last bad word of the health checks on each of our targets.
    pub unhealthy: BTreeMap<Place, TargetHealth>,
    /// One of our targets that its group says will never be used, and how many looks in a row have shown such a one.
    pub not_in_use: Option<(TargetGroupArn, TargetHealth, u32)>,
    pub placement: Option<PlacementTrouble>,
    pub capacity: Option<Vec<ContainerInstance>>,
    pub started: usize,
    /// The most new targets that were healthy at once.
    healthy_max: u32,
    /// How many failures were known when that was: they did not keep the rollout from moving on.
    overcome: usize,
    /// Whether old targets of the group have been seen healthy while ours were not.
    pub old_was_healthy: bool,
}

impl Evidence {
    /// Adds what one look shows.
    pub fn collect(&mut self, snapshot: &Snapshot, view: &View) {
        for task in view.ended_tasks.values() {
            if let Some(failure) = failure::read(task) {
                self.failures.insert(task.arn.clone(), failure);
            }
        }
        self.started = view.new_tasks.len() + view.ended_tasks.len();
        let mut not_in_use = None;
        for (place, row) in &view.new_targets {
            let Some(row) = row else { continue };
            match row.state {
                TargetState::Unhealthy => {
                    self.unhealthy.insert(place.clone(), (*row).clone());
                }
                TargetState::Healthy => {
                    self.unhealthy.remove(place);
                }
                TargetState::Unused if row.reason.as_deref() == Some("Target.NotInUse") => {
                    let looks = self.not_in_use.as_ref().map_or(0, |(_, _, looks)| *looks);
                    not_in_use = Some((place.0.clone(), (*row).clone(), looks + 1));
                }
                _ => {}
            }
        }
        self.not_in_use = not_in_use;
        if view.healthy() > self.healthy_max {
            self.healthy_max = view.healthy();
            self.overcome = self.failures.len();
        }
        self.old_was_healthy |= view.old_targets.values().any(|row| row.state == TargetState::Healthy);
        if let Some(capacity) = &snapshot.capacity {
            self.capacity = Some(capacity.clone());
        }
    }

    /// The failures of the kind that came up most often (the last kind wins a tie: it is the newer story).
    fn main_failures(&self) -> Vec<&TaskFailure> {
        let mut kinds = BTreeMap::<&str, Vec<&TaskFailure>>::new();
        for failure in self.failures.values() {
            kinds.entry(failure.cause.kind()).or_default().push(failure);
        }
        kinds.into_values().max_by_key(Vec::len).unwrap_or_default()
    }

    /// A failure that no further waiting can cure, although ECS has not given up yet.
    pub fn certain_failure(&self, scope: &Scope, view: &View, has_breaker: bool) -> Option<Finding> {
        if let Some((group, row, looks)) = &self.not_in_use
            && *looks > 1
        {
            return Some(not_in_use(group, row));
        }
        let is_final_pull = |f: &&TaskFailure| matches!(&f.cause, Cause::ImagePull { is_final: true, .. });
        // Where a sibling runs, the image is there, and one instance's trouble is not the revision's.
        if let Some(failure) = self
            .failures
            .values()
            .find(is_final_pull)
            .filter(|_| view.running() == 0)
        {
            let alike = self
                .failures
                .values()
                .filter(|f| f.cause.kind() == failure.cause.kind())
                .count();
            return Some(self.of_cause(&failure.cause, alike, scope));
        }
        // With a circuit breaker ECS itself gives up soon and says so; its word is worth the wait.
        let main = self.main_failures();
        let first = main.first().filter(|_| !has_breaker)?;
        // An old task that still stops may hold the very port that is missing.
        let may_pass = matches!(first.cause, Cause::PortInUse { .. }) && !view.old_tasks.is_empty();
        // More than a whole batch of tasks, so that tasks which were started together and died together count as the
        // one failure that they may be.
        let enough = LIKE_FAILURES_MIN.max(view.desired as usize + 1);
        let is_hopeless = main.len() >= enough && self.failures.len() >= self.overcome + enough && !may_pass;
        is_hopeless.then(|| self.of_cause(&first.cause, main.len(), scope))
    }

    /// The most likely cause of whatever went wrong; `None` where nothing is known.
    pub fn likely_cause(&self, scope: &Scope) -> Option<Finding> {
        if let Some((group, row, _)) = &self.not_in_use {
            return Some(not_in_use(group, row));
        }
        let main = self.main_failures();
        if let Some(first) = main.first() {
            return Some(self.of_cause(&first.cause, main.len(), scope));
        }
        if let Some(((group, _), row)) = self.unhealthy.iter().next() {
            return Some(self.target_unhealthy(group, Some(row), 0, scope));
        }
        self.placement.as_ref().map(|trouble| self.cannot_place(trouble, scope))
    }

    pub fn cannot_place(&self, trouble: &PlacementTrouble, scope: &Scope) -> Finding {
        let service = &scope.service;
        let instances = self.capacity.as_deref().unwrap_or_default();
        let mut finding = match trouble.lack {
            Lack::Port => Finding::error(
                Code::PortInUse,
                format!("no instance can take a new task of `{service}`: its fixed host port is in use"),
            ),
            Lack::Aws => Finding::error(
                Code::NoCapacity,
                format!("AWS gives no capacity for a new task of `{service}`"),
            ),
            _ => Finding::error(
                Code::NoCapacity,
                format!("no instance can take a new task of `{service}`"),
            ),
        };
        finding.evidence.push(("ecs".into(), trouble.message.clone()));
        finding
            .evidence
            .extend(placement::measured(trouble, &scope.needs, instances));
        let stop_first =
            "allow ECS to stop an old task first: a minimum healthy percent below 100 (fewer tasks serve meanwhile)";
        match trouble.lack {
            Lack::Aws => finding.hint("raise the quota that ECS names, or wait until there is capacity again"),
            _ if self.capacity.as_ref().is_some_and(Vec::is_empty) => {
                finding.hint("bring container instances back: look at the cluster's Auto Scaling group")
            }
            Lack::Port if scope.is_host_network => finding.hint(stop_first).hint(
                "or use the network mode bridge or awsvpc: in host mode each instance can run one task of this kind",
            ),
            Lack::Port => finding.hint(DYNAMIC_PORT),
            _ => finding
                .hint("add an instance, or make the task smaller")
                .hint(format!("or {stop_first}")),
        }
    }

    fn of_cause(&self, cause: &Cause, alike: usize, scope: &Scope) -> Finding {
        let service = &scope.service;
        let tasks = format!("{} started, {alike} failed like this", self.started.max(alike));
        match cause {
            Cause::ImagePull { container, image, message, is_final } => {
                let image = image
                    .clone()
                    .or_else(|| scope.needs.images.iter().find(|(name, _)| name == container).map(|(_, i)| i.clone()))
                    .unwrap_or_else(|| format!("the image of `{container}`"));
                let finding = Finding::error(Code::ImagePull, format!("the image {image} cannot be pulled"))
                    .evidence("registry", message.clone())
                    .evidence("tasks", tasks);
                if *is_final {
                    finding.hint(format!("push {image}, or deploy a tag that exists"))
                } else {
                    finding.hint("check that the instances reach the registry (network, proxy, registry login)")
                }
            }
            Cause::Resources { message } => {
                Finding::error(Code::Resources, format!("tasks of `{service}` cannot get what they need to start"))
                    .evidence("ecs", message.clone())
                    .evidence("tasks", tasks)
                    .hint("check that the execution role may read the secrets that the task definition names")
            }
            Cause::OutOfMemory { container } => {
                Finding::error(Code::OutOfMemory, format!("container `{container}` is killed: it needs more memory than its limit"))
                    .evidence("tasks", tasks)
                    .hint(format!("raise `memory` of container `{container}`"))
            }
            Cause::PortInUse { message } => {
                Finding::error(Code::PortInUse, format!("new tasks of `{service}` cannot bind their host port"))
                    .evidence("docker", message.clone())
                    .evidence("tasks", tasks)
                    .hint(if scope.is_host_network { "add an instance, or let ECS stop the old task first" } else { DYNAMIC_PORT })
            }
            Cause::TargetUnhealthy { group } => {
                {
                let row = self.unhealthy.iter().filter(|((of, _), _)| of == group).map(|(_, row)| row).next_back();
                self.target_unhealthy(group, row, alike, scope)
            }
            }
            Cause::ContainerUnhealthy => {
                Finding::error(Code::ContainerUnhealthy, format!("new tasks of `{service}` fail their container health check"))
                    .evidence("tasks", tasks)
                    .hint("run the health check's command inside the container, and compare its start period with the start-up time")
            }
            Cause::Exit { container, code, message } => exit(container, *code, message.as_deref(), scope)
                .evidence("tasks", tasks),
            Cause::Other { message } => {
                Finding::error(Code::DeploymentFailed, format!("new tasks of `{service}` stop"))
                    .evidence("ecs", message.clone())
                    .evidence("tasks", tasks)
            }
        }
    }

    fn target_unhealthy(
        &self,
        group: &TargetGroupArn,
        row: Option<&TargetHealth>,
        killed: usize,
        scope: &Scope,
    ) -> Finding {
        let mut finding = Finding::error(
            Code::TargetUnhealthy,
            format!(
                "new tasks of `{}` start but do not pass the load balancer's health check",
                scope.service
            ),
        );
        finding.evidence.push(("check".into(), check_line(group, row, scope)));
        if killed > 0 {
            let tasks = format!("{} started, {killed} stopped by ECS for it", self.started.max(killed));
            finding.evidence.push(("tasks".into(), tasks));
        }
        let reason = row.and_then(|r| r.reason.as_deref()).unwrap_or_default();
        match reason {
            "Target.ResponseCodeMismatch" => {
                let old = match (&scope.previous, self.old_was_healthy) {
                    (Some(old), true) => format!("; {} passes the same check", old.short()),
                    _ => String::new(),
                };
                finding.hint(format!(
                    "the container answers, so check the health check path of target group `{}`{old}",
                    group.name()
                ))
            }
            "Target.Timeout" => {
                let port = row.map_or_else(String::new, |r| format!(" on port {}", r.key.port));
                let is_ip = scope
                    .target_groups
                    .get(group)
                    .is_some_and(|g| g.target_type == TargetType::Ip);
                let open = if is_ip {
                    format!("open the task's security group to the load balancer{port}")
                } else {
                    "open the instances' security group to the load balancer on the ephemeral ports 32768-65535: dynamic host ports lie there".to_owned()
                };
                finding
                    .hint(open)
                    .hint("check that the application listens on 0.0.0.0, not on 127.0.0.1")
            }
            _ => finding.hint("compare the application's start-up time with the service's health check grace period"),
        }
    }
}

fn check_line(group: &TargetGroupArn, row: Option<&TargetHealth>, scope: &Scope) -> String {
    let settings = scope.target_groups.get(group).map(|g| &g.health_check);
    let path = settings.and_then(|c| c.path.as_deref());
    let wants = settings.and_then(|c| c.matcher.as_deref());
    let what = path.map_or_else(|| "connection".to_owned(), |p| format!("GET {p}"));
    let port = row.map(|r| format!(" on port {}", r.key.port)).unwrap_or_default();
    let got = row.and_then(|r| r.description.as_deref()).unwrap_or("unhealthy");
    let reason = row
        .and_then(|r| r.reason.as_deref())
        .map(|r| format!(" ({r}"))
        .unwrap_or_default();
    let tail = match (reason.is_empty(), wants) {
        (true, _) => String::new(),
        (false, Some(codes)) => format!("{reason}, wants {codes})"),
        (false, None) => format!("{reason})"),
    };
    format!("{what}{port} in target group `{}` -> {got}{tail}", group.name())
}

fn exit(container: &str, code: Option<i32>, message: Option<&str>, scope: &Scope) -> Finding {
    let with = code.map_or_else(|| "stops".to_owned(), |c| format!("exits with code {c}"));
    let mut finding = Finding::error(
        Code::ContainerExit,
        format!("container `{container}` of the new revision {with}"),
    );
    if let Some(message) = message {
        finding.evidence.push(("reason".into(), message.to_owned()));
    }
    match scope.needs.log_groups.iter().find(|(name, _)| name == container) {
        Some((_, group)) => {
            finding
                .evidence
                .push(("logs".into(), format!("CloudWatch log group {group}")));
            finding.hint(format!("read the last lines of the container in log group {group}"))
        }
        None => finding.hint(format!(
            "run the image as the task definition does, and read what `{container}` prints before it ends"
        )),
    }
}

fn not_in_use(group: &TargetGroupArn, row: &TargetHealth) -> Finding {
    let words = row.description.clone().unwrap_or_else(|| "Target.NotInUse".into());
    let zone = words.contains("Availability Zone");
    let finding = Finding::error(
        Code::TargetGroupNotInUse,
        format!("target group `{}` never sends traffic to the new targets", group.name()),
    )
    .evidence("target", format!("{} is {}: {words}", row.key, row.state.as_str()));
    if zone {
        finding.hint("enable the instance's Availability Zone on the load balancer")
    } else {
        finding.hint(format!(
            "forward to target group `{}` from a listener or a rule",
            group.name()
        ))
    }
}

/// `2 of 3 tasks run, 1 of 3 targets healthy`, for the lines of a verdict that is no success.
pub fn progress(running: u32, desired: u32, healthy: u32, wanted: u32) -> String {
    if wanted == 0 {
        return format!("{running} of {desired} {} running", plural(desired, "task"));
    }
    format!("{running} of {desired} tasks running, {healthy} of {wanted} targets healthy")
}
