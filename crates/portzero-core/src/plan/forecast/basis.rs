//! What a forecast rests on: the settings of the service and its target groups, its task definition, its own tasks, and
//! the instances of its cluster.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::aws_model::service::Service;
use crate::aws_model::target::TargetGroup;
use crate::aws_model::task::{ContainerInstance, Task, TaskStatus};
use crate::base::id::TargetGroupArn;
use crate::plan::forecast::course::Rollout;
use crate::plan::forecast::room::Room;
use crate::plan::forecast::spans::{ALARM_BAKE, DELAY_DEFAULT, Span, Start, check, stop};
use crate::plan::needs::needs;
use crate::plan::survey::Survey;
use crate::rollout::view::limits::Limits;
use crate::task_definition::{Document, NetworkMode};

/// What a forecast rests on.
#[derive(Clone, Debug)]
pub struct Basis<'a> {
    /// The service as it is.
    pub service: &'a Service,
    /// The settings of its target groups.
    pub groups: &'a BTreeMap<TargetGroupArn, TargetGroup>,
    /// Its tasks, stopped ones too.
    pub tasks: &'a [Task],
    /// The instances of its cluster, where a task needs one and they could be read.
    pub capacity: Option<&'a [ContainerInstance]>,
    /// The definition that it runs.
    pub running: Option<&'a Value>,
    /// The definition that it will run.
    pub document: Option<&'a Value>,
}

impl<'a> Basis<'a> {
    /// As a survey has found it. `document`: what will run, where that is another definition.
    pub fn of(survey: &'a Survey, document: Option<&'a Value>) -> Self {
        let running = survey.running.as_ref().map(|(_, value)| value);
        Self {
            service: &survey.service,
            groups: &survey.target_groups,
            tasks: &survey.snapshot.tasks,
            capacity: survey.snapshot.capacity.as_deref(),
            running,
            document: document.or(running),
        }
    }

    /// The longest deregistration delay; `None` where nothing is registered anywhere.
    pub(super) fn delay(&self) -> Option<Duration> {
        let delays = self.groups.values();
        delays.map(|g| g.deregistration_delay.unwrap_or(DELAY_DEFAULT)).max()
    }

    /// How a task begins, from what is known of the service's own.
    pub(super) fn start(&self) -> Start {
        Start::of(self.service, self.tasks)
    }

    pub(super) fn rollout(&self) -> Rollout {
        let service = self.service;
        let limits = Limits::of(service, service.desired_count);
        let size = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
        let (room, old) = self.places();
        let configuration = &service.configuration;
        let share = |percent: u32| size(service.desired_count).saturating_mul(size(percent)).div_ceil(100);
        Rollout {
            desired: size(limits.desired),
            lower: size(limits.lower),
            upper: size(limits.upper),
            old,
            start: self.start(),
            checks: self.groups.values().map(check).collect(),
            own_check: self.document.and_then(own_check),
            delay: self.delay(),
            stop: stop(self.tasks, self.running.and_then(stop_timeout)),
            has_interface: self.document.is_some_and(has_interface),
            enough: configuration.early_success.map(share),
            defers_clean_up: configuration.defers_clean_up,
            bake: self.bake(),
            room,
        }
    }

    /// The room on the instances, and where the old tasks are. Where there are no instances, ECS finds room by itself.
    fn places(&self) -> (Option<Room>, Vec<Option<usize>>) {
        let is_old = |task: &&Task| task.desired_status == TaskStatus::Running;
        let olds = self.tasks.iter().filter(is_old).count();
        let Some(capacity) = self.capacity.filter(|instances| !instances.is_empty()) else {
            return (None, vec![None; olds]);
        };
        let (Some(document), Some(running)) = (self.document, self.running) else {
            return (None, vec![None; olds]);
        };
        let (room, olds) = Room::of(capacity, self.tasks, &needs(document), &needs(running));
        (Some(room), olds)
    }

    /// A rolling update bakes where it listens to alarms or ends early.
    fn bake(&self) -> Option<Span> {
        let configuration = &self.service.configuration;
        let own = configuration.bake_time.map(|bake| Span {
            least: bake,
            likely: bake,
            most: bake,
        });
        match configuration.watched_alarms() {
            [] => own.filter(|_| configuration.early_success.is_some()),
            _ => own.or(Some(ALARM_BAKE)),
        }
    }
}

fn containers(document: &Value) -> impl Iterator<Item = &Value> {
    let all = document.get("containerDefinitions").and_then(Value::as_array);
    all.into_iter().flatten()
}

fn seconds(value: &Value, key: &str) -> Option<Duration> {
    value.get(key).and_then(Value::as_u64).map(Duration::from_secs)
}

/// The first result of a container health check: Docker waits an interval for it, 30 s by default.
fn own_check(document: &Value) -> Option<Duration> {
    let checks = containers(document).filter_map(|container| container.get("healthCheck").filter(|c| c.is_object()));
    checks
        .map(|check| seconds(check, "interval").unwrap_or(Duration::from_secs(30)))
        .max()
}

fn stop_timeout(document: &Value) -> Option<Duration> {
    containers(document)
        .filter_map(|container| seconds(container, "stopTimeout"))
        .max()
}

fn has_interface(document: &Value) -> bool {
    Document::from_value(document.clone(), "").network_mode() == NetworkMode::Awsvpc
}
