//! What ECS itself manages between a service and those who call it: gateways, their routes, the ways into Express services.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::timestamp::Timestamp;

/// A gateway: ingress that the services of the clusters associated with it share.
#[derive(Clone, Debug)]
pub struct Gateway {
    /// `gatewayArn`.
    pub arn: String,
    /// `name`.
    pub name: String,
    /// `infrastructureRoleArn`.
    pub role_arn: String,
    /// PUBLIC or PRIVATE, as its scheme is.
    pub access_type: String,
    /// `deletionProtection`.
    pub deletion_protection: bool,
    /// `propagateTags`.
    pub propagate_tags: String,
    /// `configuration`, as it was given.
    pub configuration: Value,
    /// The clusters that are associated with it, by name: ACTIVE or DISASSOCIATING.
    pub clusters: BTreeMap<String, String>,
    /// `createdAt`.
    pub created_at: Timestamp,
}

/// Who manages the target group of a load balancer entry, where the service's owner does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Manager {
    /// Express Mode.
    Express,
    /// A gateway.
    Gateway {
        /// `gatewayArn`.
        gateway: String,
        /// `gatewayRouteArn`.
        route: String,
        /// `portName`: the port mapping that gets the requests.
        port_name: String,
    },
}

/// A way to a service that ECS manages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Managed {
    /// Whose it is.
    pub by: Manager,
    /// PUBLIC or PRIVATE.
    pub access_type: String,
    /// `endpoint` of an ingress path, `serviceUrl` of a gateway connection.
    pub address: String,
    /// ECS is done with it from then on.
    pub active_at: Timestamp,
    /// Why it could not be made: then nothing is registered through it.
    pub failure: Option<String>,
}

impl Managed {
    /// As AWS spells it: the status of a gateway route, or of a resource of Express Mode.
    pub fn status(&self, now: Timestamp) -> &'static str {
        let is_express = self.by == Manager::Express;
        match (&self.failure, now >= self.active_at) {
            (Some(_), _) if is_express => "FAILED",
            (Some(_), _) => "CREATE_FAILED",
            (None, true) => "ACTIVE",
            (None, false) if is_express => "PROVISIONING",
            (None, false) => "CREATE_IN_PROGRESS",
        }
    }
}
