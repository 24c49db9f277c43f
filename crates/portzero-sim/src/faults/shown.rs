//! What a read shows where it does not show the account as it is: what was true some seconds ago, a list without its
//! newest deployment, a status that no model knows, somebody's hostile words. The world itself is never changed by it.

use std::rc::Rc;
use std::time::Duration;

use super::hostile;
use crate::model::state::{Account, Service};
use crate::model::status::{
    DeploymentStatus, RolloutState, ServiceDeploymentStatus, ServiceStatus, TargetState, TaskStatus,
};
use crate::scenario::fault::kinds::{Fault, StatusKind};
use crate::timestamp::Timestamp;
use crate::world::World;

/// A span that two states must be apart to be kept apart.
const GRAIN: Duration = Duration::from_secs(1);

impl World {
    /// Keeps the account as it is now, for stale reads. To be called after each change.
    pub(crate) fn remember(&mut self) {
        // What is over asks for nothing any more, and a copy of the account after each change is not cheap.
        let on = self.faults.iter().filter(|fault| !self.is_over(fault));
        let ages = on.filter_map(|fault| match fault.fault {
            Fault::Stale { age } => Some(age),
            _ => None,
        });
        let Some(oldest) = ages.max() else {
            self.past.0.clear();
            return;
        };
        let now = self.now;
        let account = Rc::new(self.account.clone());
        let past = &mut self.past.0;
        match past
            .back_mut()
            .filter(|(since, _)| now.since(*since) < GRAIN && *since != self.start)
        {
            Some(newest) => newest.1 = account,
            None => past.push_back((now, account)),
        }
        // The newest of those that are too old is what was true at the oldest moment that anybody asks for.
        while past.get(1).is_some_and(|(since, _)| now.since(*since) >= oldest) {
            past.pop_front();
        }
    }

    /// The account as these faults show it; `None` where they show it as it is.
    pub(crate) fn seen_through(&self, faults: &[Fault]) -> Option<Account> {
        let mut seen: Option<Account> = None;
        for fault in faults {
            let account = || self.account.clone();
            match fault {
                Fault::Stale { age } => seen = self.as_it_was(*age).or(seen),
                Fault::Unlisted { age } => hide_newest(seen.get_or_insert_with(account), self.now, *age),
                Fault::UnknownEnum { of } => misspell(seen.get_or_insert_with(account), *of),
                Fault::HostileText => poison(seen.get_or_insert_with(account)),
                _ => {}
            }
        }
        seen
    }

    fn as_it_was(&self, age: Duration) -> Option<Account> {
        let past = self.past.0.iter();
        let then = past.rev().find(|(since, _)| self.now.since(*since) >= age);
        then.or(self.past.0.front()).map(|(_, account)| (**account).clone())
    }
}

fn services(account: &mut Account) -> impl Iterator<Item = &mut Service> {
    account
        .clusters
        .values_mut()
        .flat_map(|cluster| cluster.services.values_mut())
}

/// A deployment that was just made is not listed, and the one before it still looks like the newest.
fn hide_newest(account: &mut Account, now: Timestamp, hidden_for: Duration) {
    for service in services(account) {
        let is_new = |at: Timestamp| now.since(at) < hidden_for;
        let (new, old): (Vec<_>, Vec<_>) = std::mem::take(&mut service.service_deployments)
            .into_iter()
            .partition(|d| is_new(d.created_at));
        service.service_deployments = old;
        let made = |id: &String| new.iter().any(|d| &d.deployment_id == id);
        let before = service.deployments.len();
        if service.deployments.iter().all(|d| made(&d.id)) {
            continue;
        }
        service.deployments.retain(|d| !made(&d.id));
        if service.deployments.len() < before
            && let Some(newest) = service.deployments.first_mut()
        {
            newest.status = DeploymentStatus::Primary;
            service.task_definition.clone_from(&newest.task_definition);
        }
    }
}

fn misspell(account: &mut Account, kind: StatusKind) {
    match kind {
        StatusKind::TaskStatus => {
            let tasks = account
                .clusters
                .values_mut()
                .flat_map(|cluster| cluster.tasks.values_mut());
            tasks
                .filter(|t| t.last_status == TaskStatus::Running)
                .for_each(|t| t.last_status = TaskStatus::Unknown("HIBERNATING".into()));
        }
        StatusKind::RolloutState => {
            services(account)
                .flat_map(|s| &mut s.deployments)
                .for_each(|d| d.rollout_state = RolloutState::Unknown("CONVERGING".into()));
        }
        StatusKind::DeploymentStatus => {
            services(account)
                .flat_map(|s| &mut s.deployments)
                .for_each(|d| d.status = DeploymentStatus::Unknown("PARAMOUNT".into()));
        }
        StatusKind::ServiceDeploymentStatus => {
            services(account)
                .flat_map(|s| &mut s.service_deployments)
                .for_each(|d| d.status = ServiceDeploymentStatus::Unknown("CONTEMPLATING".into()));
        }
        StatusKind::ServiceStatus => {
            services(account).for_each(|s| s.status = ServiceStatus::Unknown("ESTIVATING".into()))
        }
        StatusKind::TargetState => {
            let targets = account.target_groups.values_mut().flat_map(|group| &mut group.targets);
            targets
                .filter(|t| t.state == TargetState::Healthy)
                .for_each(|t| t.state = TargetState::Unknown("radiant".into()));
        }
    }
}

/// Appends the texts of the list to everything in which AWS passes on words of others, one after the other.
fn poison(account: &mut Account) {
    let mut place = 0;
    let mut append = |text: &mut String| {
        text.push(' ');
        text.push_str(&hostile::text(place));
        place += 1;
    };
    for service in services(account) {
        service.events.iter_mut().for_each(|event| append(&mut event.message));
        service
            .deployments
            .iter_mut()
            .for_each(|d| append(&mut d.rollout_state_reason));
        service
            .service_deployments
            .iter_mut()
            .filter_map(|d| d.status_reason.as_mut())
            .for_each(&mut append);
    }
    for task in account
        .clusters
        .values_mut()
        .flat_map(|cluster| cluster.tasks.values_mut())
    {
        task.stopped_reason.iter_mut().for_each(&mut append);
        task.containers
            .iter_mut()
            .filter_map(|c| c.reason.as_mut())
            .for_each(&mut append);
    }
    let targets = account.target_groups.values_mut().flat_map(|group| &mut group.targets);
    targets
        .filter_map(|target| target.description.as_mut())
        .for_each(append);
}
