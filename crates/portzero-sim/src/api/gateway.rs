//! Gateways: their creation and end, the clusters that they serve, and the routes that services get through them.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::model::container::containers;
use crate::model::managed::{Gateway, Managed, Manager};
use crate::model::network::digest;
use crate::model::refusal::Refusal;
use crate::model::state::{LoadBalancerBinding, Service, TaskDefinition};
use crate::model::status::ServiceStatus;
use crate::scenario::span::Spread;
use crate::scenario::specs::HealthCheckSpec;
use crate::scenario::{ManagedBy, ServiceSpec, TargetGroupSpec};
use crate::world::World;

/// How many gateways serve a cluster at most (API reference of AssociateGatewayWithCluster).
const GATEWAYS_PER_CLUSTER: usize = 5;

/// How long ECS takes over a route: no recording has it.
const ROUTE_TAKES: Spread = Spread::millis(5_000, 40_000);

impl World {
    /// CreateGateway: ACTIVE at once.
    pub(crate) fn create_gateway(&mut self, new: Gateway, tags: Vec<Value>) -> Result<Gateway, Refusal> {
        let arn = format!(
            "arn:aws:ecs:{}:{}:gateway/{}",
            self.account.region, self.account.id, new.name
        );
        if self.account.gateways.contains_key(&arn) {
            return Err(Refusal::invalid_parameter(format!(
                "A gateway with the name '{}' already exists.",
                new.name
            )));
        }
        let gateway = Gateway {
            arn: arn.clone(),
            ..new
        };
        if !tags.is_empty() {
            self.account.tags.insert(arn.clone(), tags);
        }
        self.account.gateways.insert(arn, gateway.clone());
        Ok(gateway)
    }

    /// A gateway by its name or ARN.
    pub(crate) fn gateway(&self, reference: &str) -> Result<&Gateway, Refusal> {
        let is_meant = |gateway: &&Gateway| gateway.name == reference || gateway.arn == reference;
        let found = self.account.gateways.values().find(is_meant);
        found.ok_or_else(|| Refusal::new("GatewayNotFoundException", "Gateway not found."))
    }

    pub(crate) fn delete_gateway(&mut self, reference: &str) -> Result<Gateway, Refusal> {
        let gateway = self.gateway(reference)?.clone();
        if gateway.deletion_protection {
            return Err(Refusal::invalid_parameter(
                "The gateway has deletion protection enabled.",
            ));
        }
        if !gateway.clusters.is_empty() {
            return Err(Refusal::invalid_parameter(
                "The gateway is associated with clusters. Disassociate them first.",
            ));
        }
        self.account.gateways.remove(&gateway.arn);
        Ok(gateway)
    }

    /// The ARNs of the gateway and of the cluster.
    pub(crate) fn associate_gateway(&mut self, reference: &str, cluster: &str) -> Result<(String, String), Refusal> {
        let arn = self.gateway(reference)?.arn.clone();
        let home = self.cluster(Some(cluster))?;
        let (name, cluster_arn) = (home.name.clone(), home.arn.clone());
        let served = self
            .account
            .gateways
            .values()
            .filter(|g| g.clusters.contains_key(&name));
        if served.filter(|gateway| gateway.arn != arn).count() >= GATEWAYS_PER_CLUSTER {
            return Err(Refusal::invalid_parameter(format!(
                "A cluster can be associated with at most {GATEWAYS_PER_CLUSTER} gateways."
            )));
        }
        if let Some(gateway) = self.account.gateways.get_mut(&arn) {
            gateway.clusters.insert(name, "ACTIVE".into());
        }
        Ok((arn, cluster_arn))
    }

    /// DISASSOCIATING as long as routes of services of the cluster are left, else gone.
    pub(crate) fn disassociate_gateway(
        &mut self,
        reference: &str,
        cluster: &str,
    ) -> Result<(String, String, &'static str), Refusal> {
        let arn = self.gateway(reference)?.arn.clone();
        let home = self.cluster(Some(cluster))?;
        let (name, cluster_arn) = (home.name.clone(), home.arn.clone());
        let mut alive = home.services.values().filter(|s| s.status != ServiceStatus::Inactive);
        let is_used = alive.any(|s| s.load_balancers.iter().any(|b| b.is_of_gateway(&arn)));
        let Some(gateway) = self
            .account
            .gateways
            .get_mut(&arn)
            .filter(|g| g.clusters.contains_key(&name))
        else {
            return Err(Refusal::new(
                "ResourceNotFoundException",
                "The gateway is not associated with the cluster.",
            ));
        };
        if is_used {
            gateway.clusters.insert(name, "DISASSOCIATING".into());
            Ok((arn, cluster_arn, "DISASSOCIATING"))
        } else {
            gateway.clusters.remove(&name);
            Ok((arn, cluster_arn, "INACTIVE"))
        }
    }

    /// Brings the routes of a service in step with its gateway connectors: one for each gateway of its cluster that the
    /// connector lets in.
    pub(crate) fn connect_gateways(
        &mut self,
        cluster: &str,
        service: &mut Service,
        definition: &TaskDefinition,
    ) -> Result<(), Refusal> {
        let Some(connectors) = service
            .settings
            .get("gatewayConnectors")
            .and_then(Value::as_array)
            .cloned()
        else {
            return Ok(());
        };
        if connectors.len() > 1 {
            return Err(Refusal::invalid_parameter(
                "gatewayConnectors can have at most 1 items.",
            ));
        }
        let (routes, mut wanted): (Vec<_>, Vec<_>) = std::mem::take(&mut service.load_balancers)
            .into_iter()
            .partition(LoadBalancerBinding::is_of_any_gateway);
        for connector in &connectors {
            let name = connector["portName"].as_str().unwrap_or_default();
            let (container, port) = port_named(&definition.document, name).ok_or_else(|| {
                Refusal::invalid_parameter(format!(
                    "The portName '{name}' of the gateway connector is no port name of the task definition."
                ))
            })?;
            let gateways: Vec<Gateway> = self
                .account
                .gateways
                .values()
                .filter(|gateway| gateway.clusters.contains_key(cluster) && lets_in(connector, gateway))
                .cloned()
                .collect();
            for gateway in gateways {
                let known = routes.iter().find(|route| route.is_of_gateway(&gateway.arn)).cloned();
                let mut route = match known {
                    Some(route) => route,
                    None => self.open_route(service, &gateway, connector, definition),
                };
                (route.container_name, route.container_port) = (container.clone(), port);
                wanted.push(route);
            }
        }
        service.load_balancers = wanted;
        Ok(())
    }

    fn open_route(
        &mut self,
        service: &Service,
        gateway: &Gateway,
        connector: &Value,
        definition: &TaskDefinition,
    ) -> LoadBalancerBinding {
        let id = self.hex(16);
        let by = Manager::Gateway {
            gateway: gateway.arn.clone(),
            route: format!("{}/{id}", gateway.arn.replacen(":gateway/", ":gateway-route/", 1)),
            port_name: connector["portName"].as_str().unwrap_or_default().to_owned(),
        };
        let group = TargetGroupSpec {
            name: format!("ecs-gateway-{id}"),
            health_check: health_check(&connector["healthCheck"]),
            deregistration_delay: Duration::from_secs(
                connector["deregistrationDelay"]["timeoutSeconds"]
                    .as_u64()
                    .unwrap_or(300),
            ),
            target_type: Some(target_type(definition).into()),
            ..TargetGroupSpec::default()
        };
        let shifts = !service.strategy.is_rolling();
        self.managed_binding(&service.name, by, &gateway.access_type, &group, shifts)
    }

    /// What ECS manages of a service's ingress from the start, as its scenario has it.
    pub(crate) fn manage_ingress(
        &mut self,
        cluster: &str,
        service: &mut Service,
        spec: &ServiceSpec,
        definition: &TaskDefinition,
    ) -> Result<(), String> {
        for (binding, entry) in service.load_balancers.iter_mut().zip(&spec.load_balancers) {
            let by = match entry.managed_by {
                None => continue,
                Some(ManagedBy::Express) => {
                    service.settings.insert("expressConfiguration".into(), json!({}));
                    Manager::Express
                }
                Some(ManagedBy::Gateway) => {
                    let port_name = name_of_port(&definition.document, &entry.container_name, entry.container_port)
                        .ok_or_else(|| {
                            format!("service `{}`: a gateway needs the name of a port mapping", spec.name)
                        })?;
                    service
                        .settings
                        .insert("gatewayConnectors".into(), json!([{"portName": port_name}]));
                    let gateway = self.shared_gateway(cluster);
                    let id = digest(&format!("{} {port_name}", spec.name));
                    Manager::Gateway {
                        route: format!("{}/{id}", gateway.replacen(":gateway/", ":gateway-route/", 1)),
                        gateway,
                        port_name,
                    }
                }
            };
            binding.managed = Some(Managed {
                address: self.managed_address(&spec.name, &by),
                by,
                access_type: "PUBLIC".into(),
                active_at: self.now,
                failure: None,
            });
        }
        Ok(())
    }

    /// The gateway of a cluster's services that its scenario puts behind one.
    fn shared_gateway(&mut self, cluster: &str) -> String {
        let (region, account) = (&self.account.region, &self.account.id);
        let arn = format!("arn:aws:ecs:{region}:{account}:gateway/shared");
        let gateway = Gateway {
            arn: arn.clone(),
            name: "shared".into(),
            role_arn: format!("arn:aws:iam::{account}:role/ecsInfrastructureRole"),
            access_type: "PUBLIC".into(),
            deletion_protection: false,
            propagate_tags: "NONE".into(),
            configuration: json!({"hostSharedAlb": {"scheme": "internet-facing"}}),
            clusters: BTreeMap::new(),
            created_at: self.now,
        };
        let gateway = self.account.gateways.entry(arn.clone()).or_insert(gateway);
        gateway.clusters.insert(cluster.to_owned(), "ACTIVE".into());
        arn
    }

    /// A target group with a load balancer before it, as ECS makes them.
    pub(crate) fn managed_binding(
        &mut self,
        service: &str,
        by: Manager,
        access_type: &str,
        group: &TargetGroupSpec,
        shifts: bool,
    ) -> LoadBalancerBinding {
        let first = self.put_target_group(group, group.target_type.as_deref().unwrap_or("ip"));
        let advanced = shifts.then(|| {
            let alternate = TargetGroupSpec {
                name: format!("{}-a", group.name),
                ..group.clone()
            };
            let alternate = self.put_target_group(&alternate, group.target_type.as_deref().unwrap_or("ip"));
            self.join_groups(&first, &alternate, true)
        });
        let takes = self.draw(ROUTE_TAKES);
        LoadBalancerBinding {
            target_group_arn: Some(first),
            load_balancer_name: None,
            container_name: String::new(),
            container_port: 0,
            advanced,
            managed: Some(Managed {
                address: self.managed_address(service, &by),
                by,
                access_type: access_type.to_owned(),
                active_at: self.now + takes,
                failure: None,
            }),
        }
    }

    /// The documented form is `https://NAME.ecs.REGION.on.aws`; a gateway's has its scheme, an ingress path's has none.
    pub(crate) fn managed_address(&self, service: &str, by: &Manager) -> String {
        let host = format!("{service}.ecs.{}.on.aws", self.account.region);
        match by {
            Manager::Express => host,
            Manager::Gateway { .. } => format!("https://{host}"),
        }
    }
}

impl LoadBalancerBinding {
    pub(crate) fn is_of_gateway(&self, arn: &str) -> bool {
        let by = self.managed.as_ref().map(|managed| &managed.by);
        matches!(by, Some(Manager::Gateway { gateway, .. }) if gateway == arn)
    }

    fn is_of_any_gateway(&self) -> bool {
        let by = self.managed.as_ref().map(|managed| &managed.by);
        matches!(by, Some(Manager::Gateway { .. }))
    }
}

fn target_type(definition: &TaskDefinition) -> &'static str {
    if definition.document["networkMode"] == "awsvpc" {
        "ip"
    } else {
        "instance"
    }
}

fn lets_in(connector: &Value, gateway: &Gateway) -> bool {
    let types = connector["filters"]["accessTypes"].as_array();
    types.is_none_or(|types| types.is_empty() || types.iter().any(|one| one == gateway.access_type.as_str()))
}

/// The container and the port of a port mapping's name.
pub(crate) fn port_named(document: &Value, name: &str) -> Option<(String, u16)> {
    containers(document).into_iter().find_map(|container| {
        let mut mappings = container["portMappings"].as_array()?.iter();
        let found = mappings.find(|mapping| mapping["name"] == name)?;
        let port = u16::try_from(found["containerPort"].as_u64()?).ok()?;
        Some((container["name"].as_str()?.to_owned(), port))
    })
}

fn name_of_port(document: &Value, container: &str, port: u16) -> Option<String> {
    let own = containers(document).into_iter().find(|one| one["name"] == container)?;
    let mut mappings = own["portMappings"].as_array()?.iter();
    let found = mappings.find(|mapping| mapping["containerPort"].as_u64() == Some(port.into()))?;
    found["name"].as_str().map(str::to_owned)
}

fn health_check(given: &Value) -> HealthCheckSpec {
    let default = HealthCheckSpec::default();
    let seconds = |name: &str, usual: Duration| given[name].as_u64().map_or(usual, Duration::from_secs);
    let count = |name: &str, usual: u32| {
        given[name]
            .as_u64()
            .and_then(|n| u32::try_from(n).ok())
            .unwrap_or(usual)
    };
    let port = given["healthCheckPort"].as_u64().map(|port| port.to_string());
    HealthCheckSpec {
        path: given["healthCheckPath"].as_str().unwrap_or(&default.path).to_owned(),
        port: port.unwrap_or(default.port),
        interval: seconds("healthCheckIntervalSeconds", default.interval),
        timeout: seconds("healthCheckTimeoutSeconds", default.timeout),
        healthy_threshold: count("healthyThresholdCount", default.healthy_threshold),
        unhealthy_threshold: count("unhealthyThresholdCount", default.unhealthy_threshold),
        matcher: given["matcher"]["httpCode"]
            .as_str()
            .unwrap_or(&default.matcher)
            .to_owned(),
        enabled: true,
    }
}
