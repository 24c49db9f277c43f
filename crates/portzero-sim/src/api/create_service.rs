//! Clusters and services come into being: at the world's start as its scenario has them, later by CreateCluster and
//! CreateService.

use std::collections::BTreeMap;

use serde_json::Value;

use super::service_checks::{check_creation, check_name};
use crate::model::refusal::{Refusal, check_cluster_name};
use crate::model::state::{Cluster, Service, ServiceCreation, Settings};
use crate::model::status::ServiceStatus;
use crate::scenario::span::Spread;
use crate::scenario::strategy::Strategy;
use crate::world::{ScheduledEvent, World};

/// The creation of a service to its first `has started` (recorded: 1.3 s and 5.7 s).
const FIRST_START: Spread = Spread::millis(1_300, 5_700);

impl World {
    /// CreateCluster. A cluster that there is already is answered as it is, an INACTIVE one is ACTIVE again.
    pub fn create_cluster(&mut self, name: &str, settings: Settings, tags: Vec<Value>) -> Result<Cluster, Refusal> {
        check_cluster_name(name)?;
        let is_there = self.account.clusters.get(name).is_some_and(|c| c.status == "ACTIVE");
        if !is_there {
            self.account.clusters.remove(name);
            self.put_cluster(name);
        }
        let Some(cluster) = self.account.clusters.get_mut(name) else {
            return Err(Refusal::invalid_parameter("Cluster can not be blank."));
        };
        if !is_there {
            cluster.settings = settings;
            self.account.tags.remove(&cluster.arn);
        }
        let cluster = cluster.clone();
        if !is_there && !tags.is_empty() {
            self.account.tags.insert(cluster.arn.clone(), tags);
        }
        Ok(cluster)
    }

    /// An ACTIVE cluster with nothing in it, where there is none of the name.
    pub(crate) fn put_cluster(&mut self, name: &str) {
        let arn = format!("arn:aws:ecs:{}:{}:cluster/{name}", self.account.region, self.account.id);
        let cluster = || Cluster {
            name: name.to_owned(),
            arn,
            status: "ACTIVE".into(),
            ..Cluster::default()
        };
        self.account.clusters.entry(name.to_owned()).or_insert_with(cluster);
    }

    /// CreateService. The same request again is answered with the service that it made.
    pub fn create_service(&mut self, creation: &ServiceCreation) -> Result<Service, Refusal> {
        let wanted = &creation.service;
        let cluster = self
            .cluster(crate::api::update_service::named(&wanted.cluster))?
            .name
            .clone();
        let name = wanted.service.clone();
        check_name(&name)?;
        if let Some(there) = self.service(&cluster, &name) {
            match there.status {
                ServiceStatus::Draining => {
                    return Err(Refusal::invalid_parameter(
                        "Unable to Start a service that is still Draining.",
                    ));
                }
                ServiceStatus::Active if there.created_from.as_deref() == Some(creation) => return Ok(there.clone()),
                ServiceStatus::Active => {
                    return Err(Refusal::invalid_parameter("Creation of service was not idempotent."));
                }
                _ => {}
            }
        }
        check_creation(creation)?;
        let reference = wanted.task_definition.as_deref().unwrap_or_default();
        let definition = self.deployable(reference)?;
        let mut service = self.blank_service(&cluster, &name);
        let launch_type = creation.launch_type.clone();
        service.launch_type = launch_type.unwrap_or_else(|| default_launch_type(&wanted.settings).to_owned());
        service.deployment_controller = creation.deployment_controller.clone().unwrap_or_else(|| "ECS".into());
        service.created_from = Some(Box::new(creation.clone()));
        crate::api::update_service::apply(&mut service, wanted);
        service.task_definition = definition.arn.clone();
        self.check_service(&service, wanted, &definition)?;
        self.connect_gateways(&cluster, &mut service, &definition)?;
        self.scheduler_states.remove(&(cluster.clone(), name.clone()));
        let arn = service.arn.clone();
        self.put_service(&cluster, service);
        self.account.tags.remove(&arn);
        if !creation.tags.is_empty() {
            self.account.tags.insert(arn, creation.tags.clone());
        }
        self.begin_traffic(&cluster, &name);
        self.deploy_first(&cluster, &name, &definition.arn);
        self.service(&cluster, &name)
            .cloned()
            .ok_or_else(|| Refusal::new("ServiceNotFoundException", "Service not found."))
    }

    /// The first deployment of a new service, and the scheduler's first looks at it.
    fn deploy_first(&mut self, cluster: &str, name: &str, task_definition: &str) {
        self.make_deployment(cluster, name, task_definition);
        self.note_revision(cluster, name);
        let first = self.draw(FIRST_START);
        let now = self.now;
        let initial = self.service(cluster, name).and_then(crate::model::state::primary);
        let initial = initial.map(|d| d.id.clone()).unwrap_or_default();
        let scheduler = self.scheduler_state(cluster, name);
        scheduler.deployments.initial = initial;
        // What the faults call the next revision is the one after this.
        scheduler.deployments.next = None;
        scheduler.timing.acts_from = now + first;
        let (cluster, service) = (cluster.to_owned(), name.to_owned());
        self.schedule_faults(&cluster, &service, now, true);
        self.after(first, ScheduledEvent::Look { cluster, service });
    }

    /// A service that nothing has been said about but its name. It is not in the account yet.
    pub(crate) fn blank_service(&self, cluster: &str, name: &str) -> Service {
        let (region, account) = (&self.account.region, &self.account.id);
        Service {
            name: name.to_owned(),
            arn: format!("arn:aws:ecs:{region}:{account}:service/{cluster}/{name}"),
            cluster_arn: format!("arn:aws:ecs:{region}:{account}:cluster/{cluster}"),
            status: "ACTIVE".into(),
            desired_count: 0,
            task_definition: String::new(),
            load_balancers: Vec::new(),
            launch_type: "EC2".into(),
            scheduling_strategy: "REPLICA".into(),
            deployment_controller: "ECS".into(),
            minimum_healthy_percent: 100,
            maximum_percent: 200,
            circuit_breaker: None,
            health_check_grace_period: None,
            strategy: Strategy::default(),
            deployments: Vec::new(),
            events: Vec::new(),
            service_deployments: Vec::new(),
            created_at: self.now,
            created_by: format!("arn:aws:iam::{account}:user/example"),
            role_arn: format!("arn:aws:iam::{account}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"),
            ip_addresses: None,
            settings: Settings::default(),
            revisions: BTreeMap::new(),
            created_from: None,
        }
    }

    /// Puts a service into its cluster; the one that it displaces, where there was one.
    pub(crate) fn put_service(&mut self, cluster: &str, service: Service) -> Option<Service> {
        let home = self.account.clusters.get_mut(cluster)?;
        home.services.insert(service.name.clone(), service)
    }
}

/// Where a service runs that does not say so: with its capacity providers.
fn default_launch_type(settings: &Settings) -> &'static str {
    let providers = settings.get("capacityProviderStrategy").and_then(Value::as_array);
    let is_fargate = |one: &Value| {
        let name = one.get("capacityProvider").and_then(Value::as_str);
        name.is_some_and(|name| name.starts_with("FARGATE"))
    };
    if providers.is_some_and(|all| !all.is_empty() && all.iter().all(is_fargate)) {
        "FARGATE"
    } else {
        "EC2"
    }
}
