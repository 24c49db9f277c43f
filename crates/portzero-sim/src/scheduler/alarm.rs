//! CloudWatch alarms that deployments listen to (aws-facts 3.3).

use super::rollback::Failure;
use crate::model::state::primary;
use crate::model::status::RolloutState;
use crate::scenario::span::Spread;
use crate::world::{DeploymentEvent, ScheduledEvent, World};

/// What follows a look that sees the alarm. The one recorded run took 21 s from ALARM to the rollback, of which up to
/// 10 s are the wait for the look.
const REACTION: Spread = Spread::millis(9_000, 13_000);

impl World {
    /// The names among a service's alarms that are in state ALARM now.
    fn ringing(&self, cluster: &str, name: &str) -> Vec<String> {
        let first_update = self
            .scheduler_state_of(cluster, name)
            .and_then(|scheduler| scheduler.deployments.first_update);
        let watch = self.service(cluster, name).and_then(|s| s.strategy.alarms.as_ref());
        let names = watch.map(|watch| watch.names.clone()).unwrap_or_default();
        let rings = |name: &String| {
            self.alarms.iter().filter(|alarm| &alarm.name == name).any(|alarm| {
                let base = if alarm.from_start {
                    Some(self.start)
                } else {
                    first_update
                };
                base.is_some_and(|base| {
                    let begins = base + alarm.at;
                    begins <= self.now && alarm.lasts.is_none_or(|lasts| self.now < begins + lasts)
                })
            })
        };
        names.into_iter().filter(rings).collect()
    }

    /// Begins to listen for a new deployment. An alarm that rings already keeps ECS from listening at all.
    pub(crate) fn listen_to_alarms(&mut self, cluster: &str, name: &str) {
        let Some(watch) = self.service(cluster, name).and_then(|s| s.strategy.alarms.clone()) else {
            return;
        };
        let listens = watch.enable && self.ringing(cluster, name).is_empty();
        if let Some(running) = self.running_deployment(cluster, name) {
            running.progress.alarms = watch.names;
            running.progress.alarm_status = if listens { "MONITORING" } else { "DISABLED" }.into();
        }
    }

    pub(crate) fn watch_alarms(&mut self, cluster: &str, name: &str) {
        if !self.is_listening(cluster, name) || self.scheduler_state(cluster, name).failures.alarm_pending {
            return;
        }
        let ringing = self.ringing(cluster, name);
        let deployment = self.service(cluster, name).and_then(primary).map(|p| p.id.clone());
        let Some(deployment) = deployment.filter(|_| !ringing.is_empty()) else {
            return;
        };
        self.scheduler_state(cluster, name).failures.alarm_pending = true;
        if let Some(running) = self.running_deployment(cluster, name) {
            running.progress.triggered = ringing;
        }
        let later = self.draw(REACTION);
        let (cluster, service) = (cluster.to_owned(), name.to_owned());
        self.after(
            later,
            ScheduledEvent::Deployment {
                what: DeploymentEvent::AlarmFires,
                cluster,
                service,
                deployment,
            },
        );
    }

    /// Whether the PRIMARY deployment may still fail by an alarm.
    pub(crate) fn is_listening(&self, cluster: &str, name: &str) -> bool {
        let Some(service) = self.service(cluster, name) else {
            return false;
        };
        let open = primary(service).filter(|p| p.rollout_state == RolloutState::InProgress);
        open.is_some_and(|p| {
            service
                .service_deployments
                .iter()
                .any(|d| d.deployment_id == p.id && d.status.is_open() && d.progress.alarm_status == "MONITORING")
        })
    }

    pub(crate) fn alarm_fires(&mut self, cluster: &str, name: &str, deployment: &str) {
        let is_current = self
            .service(cluster, name)
            .and_then(primary)
            .is_some_and(|p| p.id == deployment);
        if !is_current || !self.is_listening(cluster, name) {
            return;
        }
        let watch = self.service(cluster, name).and_then(|s| s.strategy.alarms.as_ref());
        let goes_back = watch.is_some_and(|watch| watch.rollback);
        self.fail_deployment(cluster, name, deployment, Failure::alarm(goes_back));
    }
}
