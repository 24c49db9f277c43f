//! Task protection: tasks that a deployment or a smaller desired count may not stop for a while.

use std::time::Duration;

use crate::model::refusal::Refusal;
use crate::model::state::Task;
use crate::model::status::TaskStatus;
use crate::scenario::fault::kinds::Fault;
use crate::timestamp::Timestamp;
use crate::world::{World, service_event};

/// How long a protection lasts that names no time (API reference of UpdateTaskProtection).
const BY_DEFAULT: u32 = 120;
const LONGEST: u32 = 2_880;

impl World {
    /// When the protection of a task ends, where there is one.
    pub(crate) fn protected_until(&self, task: &str) -> Option<Timestamp> {
        self.account
            .protections
            .get(task)
            .copied()
            .filter(|until| *until > self.now)
    }

    /// UpdateTaskProtection for one task of a service; the failure's reason and detail where it cannot be.
    pub(crate) fn protect_task(
        &mut self,
        cluster: &str,
        task: &str,
        minutes: Option<u32>,
    ) -> Result<Task, (&'static str, Option<&'static str>)> {
        let found = self.task(cluster, task).cloned().ok_or(("MISSING", None))?;
        if found.service.is_empty() || found.desired_status != TaskStatus::Running {
            return Err((
                "TASK_NOT_VALID",
                Some("The task is not in a valid state or does not belong to a service."),
            ));
        }
        match minutes {
            Some(minutes) => {
                let until = self.now + Duration::from_secs(u64::from(minutes) * 60);
                self.account.protections.insert(task.to_owned(), until);
            }
            None => {
                self.account.protections.remove(task);
            }
        }
        Ok(found)
    }

    /// Those of the tasks that may be scaled in; where protection keeps any from it, ECS says so.
    pub(crate) fn unprotected(&mut self, cluster: &str, name: &str, tasks: Vec<String>) -> Vec<String> {
        let is_faulty = self.is_in_force(cluster, name, |fault| *fault == Fault::TaskProtection);
        let primary = self.service(cluster, name).and_then(crate::model::state::primary);
        let primary = primary.map(|p| p.id.clone());
        let is_old = |id: &str| self.task(cluster, id).map(|t| &t.started_by) != primary.as_ref();
        let (kept, free): (Vec<String>, Vec<String>) = tasks
            .into_iter()
            .partition(|id| self.protected_until(id).is_some() || is_faulty && is_old(id));
        let set = kept
            .first()
            .and_then(|id| self.task(cluster, id))
            .map(|t| t.started_by.clone());
        if let Some(set) = set {
            self.complain(cluster, name, service_event::protected(name, &set, kept.len()));
        }
        free
    }
}

/// How many minutes are asked for, within AWS's bounds.
pub(crate) fn protection_span(minutes: Option<i64>) -> Result<u32, Refusal> {
    let Some(minutes) = minutes else {
        return Ok(BY_DEFAULT);
    };
    u32::try_from(minutes)
        .ok()
        .filter(|minutes| (1..=LONGEST).contains(minutes))
        .ok_or_else(|| Refusal::invalid_parameter(format!("expiresInMinutes must be between 1 and {LONGEST}.")))
}
