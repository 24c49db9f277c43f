//! Application Auto Scaling, as far as it bounds the desired count of services. Policies and their alarms are not
//! modelled: nothing scales by itself.

use crate::model::refusal::Refusal;
use crate::model::state::{ScalableTarget, Service, Suspended};
use crate::model::status::{RolloutState, ServiceStatus};
use crate::world::World;

/// RegisterScalableTarget's parameters; what is absent stays as it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct TargetChange {
    pub minimum: Option<u32>,
    pub maximum: Option<u32>,
    pub suspended: Option<Suspended>,
}

pub(crate) const DIMENSION: &str = "ecs:service:DesiredCount";

impl World {
    /// Registers a service, or changes its bounds, and brings its desired count between them: that is an activity of
    /// its own (cause: `minimum capacity was set to …`) and wants neither policy nor alarm. Scale-in waits where a
    /// deployment is in progress.
    pub(crate) fn register_scalable_target(
        &mut self,
        resource: &str,
        change: &TargetChange,
    ) -> Result<String, Refusal> {
        let (cluster, name) = self.scaled(resource)?;
        let known = self.account.scalable_targets.get(resource);
        let bound = |asked: Option<u32>, known: Option<u32>, what: &str| {
            asked.or(known).ok_or_else(|| {
                Refusal::validation_exception(format!(
                    "You must specify a {what} capacity when registering a new scalable target"
                ))
            })
        };
        let minimum = bound(change.minimum, known.map(|k| k.minimum), "minimum")?;
        let maximum = bound(change.maximum, known.map(|k| k.maximum), "maximum")?;
        if minimum > maximum {
            return Err(Refusal::validation_exception(
                "Maximum capacity cannot be less than minimum capacity".to_owned(),
            ));
        }
        let (arn, created_at, suspended) = match known {
            Some(known) => (known.arn.clone(), known.created_at, known.suspended),
            None => {
                let id = self.hex(32);
                let (region, account) = (&self.account.region, &self.account.id);
                let arn = format!("arn:aws:application-autoscaling:{region}:{account}:scalable-target/{id}");
                (arn, self.now, Suspended::default())
            }
        };
        let target = ScalableTarget {
            resource_id: resource.to_owned(),
            arn: arn.clone(),
            minimum,
            maximum,
            role_arn: format!(
                "arn:aws:iam::{}:role/aws-service-role/ecs.application-autoscaling.amazonaws.com/\
                 AWSServiceRoleForApplicationAutoScaling_ECSService",
                self.account.id
            ),
            created_at,
            suspended: change.suspended.unwrap_or(suspended),
        };
        self.bring_within(&cluster, &name, &target);
        self.account.scalable_targets.insert(resource.to_owned(), target);
        Ok(arn)
    }

    pub(crate) fn deregister_scalable_target(&mut self, resource: &str) -> Result<(), Refusal> {
        let found = self.account.scalable_targets.remove(resource);
        found.map(drop).ok_or_else(|| {
            Refusal::new(
                "ObjectNotFoundException",
                format!(
                    "No scalable target found for service namespace: ecs, resource ID: {resource}, scalable dimension: {DIMENSION}"
                ),
            )
        })
    }

    /// The cluster and the service of a resource id.
    fn scaled(&self, resource: &str) -> Result<(String, String), Refusal> {
        let parts: Vec<&str> = resource.split('/').collect();
        let &["service", cluster, name] = parts.as_slice() else {
            return Err(Refusal::validation_exception(
                "Unsupported service namespace, resource type or scalable dimension".to_owned(),
            ));
        };
        let found = self
            .service(cluster, name)
            .filter(|service| service.status != ServiceStatus::Inactive);
        found
            .map(|_| (cluster.to_owned(), name.to_owned()))
            .ok_or_else(|| Refusal::validation_exception(format!("ECS service doesn't exist: {resource}")))
    }

    fn bring_within(&mut self, cluster: &str, name: &str, target: &ScalableTarget) {
        let Some(service) = self.service_mut(cluster, name) else {
            return;
        };
        if service.desired_count < target.minimum && !target.suspended.scaling_out {
            service.desired_count = target.minimum;
        }
        let may_shrink = !target.suspended.scaling_in && !is_deploying(service);
        if service.desired_count > target.maximum && may_shrink {
            service.desired_count = target.maximum;
        }
    }
}

fn is_deploying(service: &Service) -> bool {
    service.deployments.len() > 1
        || service
            .deployments
            .iter()
            .any(|d| d.rollout_state == RolloutState::InProgress)
}
