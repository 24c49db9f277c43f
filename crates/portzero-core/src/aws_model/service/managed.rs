//! What ECS manages of a service's ingress by itself: gateways, and Express Mode. DescribeServices does not show it, the
//! service revision does (`ecsManagedResources`).

use serde_json::Value;

use crate::aws_model::aws_enum::aws_enum;
use crate::aws_model::service::{Balancer, ListenerRules, LoadBalancerBinding};
use crate::base::id::{TargetGroupArn, last_segment};

aws_enum! {
    /// How far ECS is with a gateway route, or with a resource of an Express service.
    WayStatus {
        Active = "ACTIVE",
        CreateInProgress = "CREATE_IN_PROGRESS",
        CreateFailed = "CREATE_FAILED",
        UpdateInProgress = "UPDATE_IN_PROGRESS",
        UpdateFailed = "UPDATE_FAILED",
        DeleteInProgress = "DELETE_IN_PROGRESS",
        DeleteFailed = "DELETE_FAILED",
        Provisioning = "PROVISIONING",
        Deprovisioning = "DEPROVISIONING",
        Deleted = "DELETED",
        Failed = "FAILED",
    }
}

impl WayStatus {
    /// ECS could not make it, or not change it.
    pub fn is_failed(&self) -> bool {
        matches!(self, Self::CreateFailed | Self::UpdateFailed | Self::Failed)
    }
}

/// One way to a service that ECS manages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManagedWay {
    /// The gateway's ARN; absent in Express Mode.
    pub gateway: Option<String>,
    /// `serviceUrl` or `endpoint`.
    pub address: Option<String>,
    /// It is reached from inside the VPC only.
    pub is_private: bool,
    /// Of a gateway route; in Express Mode of what is furthest from ACTIVE.
    pub status: WayStatus,
    /// AWS's sentence on the status.
    pub status_reason: Option<String>,
    /// Of a gateway: the port mapping that gets the requests, by its name.
    pub port_name: Option<String>,
    /// What its requests go to; empty where ECS has not made it.
    pub groups: Vec<ManagedGroup>,
}

/// A target group that ECS manages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManagedGroup {
    /// Its ARN.
    pub arn: TargetGroupArn,
    /// The second one, of a service whose traffic shifts.
    pub alternate: Option<TargetGroupArn>,
    /// The port of the containers, where AWS shows it.
    pub port: Option<u16>,
    /// The rule that sends it the production traffic.
    pub rule: Option<String>,
    /// The rule that sends it test traffic.
    pub test_rule: Option<String>,
}

impl ManagedWay {
    /// `gateway `shared``, `Express Mode`.
    pub fn name(&self) -> String {
        match &self.gateway {
            Some(arn) => format!("gateway `{}`", last_segment(arn)),
            None => "Express Mode".to_owned(),
        }
    }

    /// What the status is of.
    pub fn what(&self) -> &'static str {
        match self.gateway {
            Some(_) => "route",
            None => "ingress path",
        }
    }

    /// The container and the port that get its requests, as the task definition has them.
    fn entrance(&self, document: &Value, group: &ManagedGroup) -> Option<(String, u16)> {
        let containers = document.get("containerDefinitions")?.as_array()?;
        containers.iter().find_map(|container| {
            let mut mappings = container.get("portMappings")?.as_array()?.iter();
            let port = |mapping: &Value| u16::try_from(mapping.get("containerPort")?.as_u64()?).ok();
            let is_meant = |mapping: &&Value| match &self.port_name {
                Some(name) => mapping.get("name").and_then(Value::as_str) == Some(name),
                None => group.port.is_none() || port(mapping) == group.port,
            };
            let found = mappings.find(is_meant)?;
            Some((container.get("name")?.as_str()?.to_owned(), port(found)?))
        })
    }
}

/// All that ECS manages of a service's ingress, and what follows from it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ManagedWays {
    /// The ways.
    pub ways: Vec<ManagedWay>,
    /// Their target groups, as if the service named them.
    pub bindings: Vec<LoadBalancerBinding>,
    /// The rules between whose groups ECS shifts the traffic.
    pub rules: ListenerRules,
    /// Whether these are all.
    pub reading: RevisionReading,
}

/// How the service revision was read, in which the ways stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RevisionReading {
    /// There are no other ways than those that are known.
    #[default]
    Answered,
    /// The reads failed at the start, and may be answered later: there may be ways that nobody here knows of.
    Failed,
    /// It may not be read, or is not served: there may be ways that nobody here knows of.
    Refused,
}

impl ManagedWays {
    /// `document`: the task definition that says which container has which port.
    pub fn of(ways: Vec<ManagedWay>, document: Option<&Value>) -> Self {
        let mut all = Self::default();
        for way in &ways {
            for group in &way.groups {
                let Some((container_name, container_port)) = document.and_then(|found| way.entrance(found, group))
                else {
                    continue;
                };
                all.bindings.push(LoadBalancerBinding {
                    balancer: Balancer::TargetGroup(group.arn.clone()),
                    container_name,
                    container_port,
                    alternate: group.alternate.clone(),
                });
                if group.alternate.is_some() {
                    all.rules.production.extend(group.rule.clone());
                    all.rules.test.extend(group.test_rule.clone());
                }
            }
        }
        all.ways = ways;
        all
    }

    /// Without what the service names itself.
    pub fn beside(mut self, own: &[LoadBalancerBinding]) -> Self {
        self.bindings
            .retain(|binding| !own.iter().any(|o| o.group() == binding.group()));
        self
    }
}

/// The target groups of ways that nobody follows, for the service was read before they were there.
pub(crate) fn not_followed<'a>(followed: &[LoadBalancerBinding], now: &'a [ManagedWay]) -> Vec<&'a TargetGroupArn> {
    let is_followed = |arn: &TargetGroupArn| {
        let mut bindings = followed.iter();
        bindings.any(|b| b.target_group() == Some(arn) || b.alternate.as_ref() == Some(arn))
    };
    let groups = now.iter().flat_map(|way| &way.groups).map(|group| &group.arn);
    groups.filter(|arn| !is_followed(arn)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn way(port_name: Option<&str>, port: Option<u16>) -> ManagedWay {
        ManagedWay {
            gateway: port_name.map(|_| "arn:aws:ecs:eu-west-1:1:gateway/shared".into()),
            address: None,
            is_private: false,
            status: WayStatus::Active,
            status_reason: None,
            port_name: port_name.map(str::to_owned),
            groups: vec![ManagedGroup {
                arn: "targetgroup/ecs/1".into(),
                alternate: Some("targetgroup/ecs/2".into()),
                port,
                rule: Some("rule".into()),
                test_rule: None,
            }],
        }
    }

    #[test]
    fn t11_a_managed_group_is_bound_to_the_port_that_it_is_for() {
        let document = json!({"containerDefinitions": [
            {"name": "proxy", "portMappings": [{"containerPort": 80}]},
            {"name": "app", "portMappings": [{"containerPort": 8080, "name": "http"}]},
        ]});
        let bound = |way: ManagedWay| {
            let ways = ManagedWays::of(vec![way], Some(&document));
            ways.bindings
                .first()
                .map(|b| (b.container_name.clone(), b.container_port))
        };
        assert_eq!(bound(way(Some("http"), None)), Some(("app".into(), 8080)));
        assert_eq!(bound(way(None, Some(80))), Some(("proxy".into(), 80)));
        assert_eq!(bound(way(Some("grpc"), None)), None, "no such port");
    }

    #[test]
    fn t11_a_group_that_is_new_is_not_followed() {
        let document = json!({"containerDefinitions": [{"name": "app", "portMappings": [{"containerPort": 80}]}]});
        let ways = ManagedWays::of(vec![way(None, Some(80))], Some(&document));
        assert_eq!(ways.rules.production, ["rule"]);
        assert!(not_followed(&ways.bindings, &ways.ways).is_empty());
        let mut newer = way(None, Some(80));
        newer.groups[0].arn = "targetgroup/ecs/3".into();
        assert_eq!(not_followed(&ways.bindings, &[newer]).len(), 1);
    }

    #[test]
    fn t11_what_the_service_names_itself_counts_once() {
        let document = json!({"containerDefinitions": [{"name": "app", "portMappings": [{"containerPort": 80}]}]});
        let managed = || ManagedWays::of(vec![way(None, Some(80))], Some(&document));
        let own = managed().bindings;
        assert_eq!(managed().beside(&own).bindings, []);
        assert!(not_followed(&own, &managed().ways).is_empty());
        let mut other = own.clone();
        other[0].balancer = Balancer::TargetGroup("targetgroup/own/1".into());
        assert_eq!(managed().beside(&other).bindings, own);
    }
}
