//! CreateLoadBalancer, CreateListener and their kin; AWS's refusals. What forwards where decides which target
//! groups are in use, so each change ends in [`World::rewire`].

use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::load_balancer::{Action, Listener, LoadBalancer};
use crate::model::network::subnet_of;
use crate::model::refusal::{Refusal, check_name, constraint, enumeration, no_group};
use crate::world::World;

/// Elastic Load Balancing's default quotas: per region; per load balancer; per resource.
const BALANCERS_MAX: usize = 50;
const LISTENERS_MAX: usize = 50;
const TAGS_MAX: usize = 50;

/// How long a new load balancer is `provisioning`: minutes, as everybody who waits for one knows; no recording has it.
const PROVISIONING: Duration = Duration::from_secs(120);

/// CreateLoadBalancer's parameters.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewLoadBalancer {
    pub name: String,
    /// application unless said otherwise.
    pub kind: Option<String>,
    pub scheme: Option<String>,
    pub subnets: Vec<String>,
    pub security_groups: Vec<String>,
    pub ip_address_type: Option<String>,
    pub tags: Vec<(String, String)>,
}

/// CreateListener's and ModifyListener's parameters; what is absent stays as it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct ListenerChange {
    pub protocol: Option<String>,
    pub port: Option<u16>,
    pub certificates: Option<Vec<String>>,
    pub ssl_policy: Option<String>,
    pub actions: Option<Vec<Action>>,
}

/// Refuses a name, kind, scheme or type of address that no load balancer has.
fn check_new(new: &NewLoadBalancer) -> Result<(), Refusal> {
    check_name("Load balancer", &new.name)?;
    if new.name.starts_with("internal-") {
        return Err(Refusal::validation_error(format!(
            "Load balancer name '{}' cannot begin with 'internal-'",
            new.name
        )));
    }
    let kind = new.kind.as_deref().unwrap_or("application");
    let scheme = new.scheme.as_deref().unwrap_or("internet-facing");
    let address = new.ip_address_type.as_deref().unwrap_or("ipv4");
    let refused = enumeration("type", kind, &["application", "network", "gateway"])
        .or_else(|| enumeration("scheme", scheme, &["internet-facing", "internal"]))
        .or_else(|| {
            enumeration(
                "ipAddressType",
                address,
                &["ipv4", "dualstack", "dualstack-without-public-ipv4"],
            )
        });
    if let Some(refusal) = refused {
        return Err(refusal);
    }
    if kind == "gateway" {
        return Err(Refusal::new(
            "OperationNotPermitted",
            "Gateway Load Balancers are not served here",
        ));
    }
    Ok(())
}

impl World {
    /// The ARN of the new load balancer, or of the one that there is with the same settings.
    pub(crate) fn create_load_balancer(&mut self, new: &NewLoadBalancer) -> Result<String, Refusal> {
        check_new(new)?;
        let kind = new.kind.as_deref().unwrap_or("application");
        let scheme = new.scheme.as_deref().unwrap_or("internet-facing");
        let address = new.ip_address_type.as_deref().unwrap_or("ipv4");
        let zones = self.zones_of(&new.subnets)?;
        if kind == "application" && zones.len() < 2 {
            return Err(Refusal::validation_error(
                "At least two subnets in two different Availability Zones must be specified",
            ));
        }
        let known = self
            .account
            .load_balancers
            .values()
            .find(|known| known.name == new.name);
        if let Some(known) = known {
            let is_alike = known.kind == kind
                && known.scheme == scheme
                && known.availability_zones == zones
                && known.ip_address_type == address;
            let words = "exists, but with different settings";
            let words = format!("A load balancer with the same name '{}' {words}", new.name);
            return is_alike
                .then(|| known.arn.clone())
                .ok_or_else(|| Refusal::new("DuplicateLoadBalancerName", words));
        }
        if self.account.load_balancers.len() >= BALANCERS_MAX {
            let words =
                "You've reached the limit on the number of load balancers for your Amazon Web Services account.";
            return Err(Refusal::new("TooManyLoadBalancers", words));
        }
        let id = self.hex(16);
        let short = if kind == "network" { "net" } else { "app" };
        let arn = format!("{}:loadbalancer/{short}/{}/{id}", self.balancing_head(), new.name);
        self.tag_balancing(&arn, &new.tags)?;
        let number = self.digits(10);
        let head = if scheme == "internal" { "internal-" } else { "" };
        let default_group = vec![crate::model::network::SECURITY_GROUP.to_owned()];
        let balancer = LoadBalancer {
            arn: arn.clone(),
            name: new.name.clone(),
            dns_name: format!("{head}{}-{number}.{}.elb.amazonaws.com", new.name, self.account.region),
            kind: kind.to_owned(),
            scheme: scheme.to_owned(),
            vpc_id: crate::model::network::VPC.into(),
            availability_zones: zones,
            security_groups: match new.security_groups.as_slice() {
                [] if kind == "application" => default_group,
                named => named.to_vec(),
            },
            ip_address_type: address.to_owned(),
            created_at: self.now,
            active_at: self.now + PROVISIONING,
            listeners: Vec::new(),
            attributes: BTreeMap::new(),
        };
        self.account.load_balancers.insert(arn.clone(), balancer);
        Ok(arn)
    }

    /// The zones of subnets, in the order of the zones' names.
    fn zones_of(&self, subnets: &[String]) -> Result<Vec<String>, Refusal> {
        if subnets.is_empty() {
            return Err(Refusal::validation_error("A subnet must be specified"));
        }
        let known = crate::model::network::zones(&self.account.region);
        let mut zones = Vec::new();
        for subnet in subnets {
            let zone = known.iter().find(|zone| &subnet_of(zone) == subnet);
            let zone =
                zone.ok_or_else(|| Refusal::new("SubnetNotFound", format!("The subnet ID '{subnet}' does not exist")))?;
            if zones.contains(zone) {
                return Err(Refusal::new(
                    "InvalidConfigurationRequest",
                    "A load balancer cannot be attached to multiple subnets in the same Availability Zone",
                ));
            }
            zones.push(zone.clone());
        }
        zones.sort();
        Ok(zones)
    }

    pub(crate) fn delete_load_balancer(&mut self, arn: &str) -> Result<(), Refusal> {
        // AWS does not mind that there is none.
        let Some(balancer) = self.account.load_balancers.get(arn) else {
            return Ok(());
        };
        let is_protected = balancer.attributes.get("deletion_protection.enabled");
        if is_protected.is_some_and(|value| value == "true") {
            return Err(Refusal::new(
                "OperationNotPermitted",
                format!("Load balancer '{arn}' cannot be deleted because deletion protection is enabled"),
            ));
        }
        let gone = self.account.load_balancers.remove(arn);
        for listener in gone.iter().flat_map(|balancer| &balancer.listeners) {
            self.account.balancing_tags.remove(&listener.arn);
        }
        self.account.balancing_tags.remove(arn);
        self.rewire();
        Ok(())
    }

    /// The ARN of the new listener, or of the one that there is with the same settings.
    pub(crate) fn create_listener(
        &mut self,
        balancer: &str,
        new: &ListenerChange,
        tags: &[(String, String)],
    ) -> Result<String, Refusal> {
        let found = self.account.load_balancers.get(balancer).ok_or_else(no_balancer)?;
        let missing = |what: &str| Refusal::validation_error(format!("A listener {what} must be specified"));
        let protocol = new.protocol.clone().ok_or_else(|| missing("protocol"))?;
        let port = new.port.ok_or_else(|| missing("port"))?;
        let actions = new.actions.clone().unwrap_or_default();
        check_protocol(found, &protocol, new.certificates.as_deref().unwrap_or_default())?;
        self.check_actions(found, &protocol, &actions)?;
        if let Some(known) = found.listeners.iter().find(|known| known.port == port) {
            return if known.protocol == protocol && known.actions == actions {
                Ok(known.arn.clone())
            } else {
                let words = format!("A listener already exists on this port for this load balancer '{balancer}'");
                Err(Refusal::new("DuplicateListener", words))
            };
        }
        if found.listeners.len() >= LISTENERS_MAX {
            return Err(Refusal::new(
                "TooManyListeners",
                "You've reached the limit on the number of listeners per load balancer.",
            ));
        }
        let head = balancer.replacen(":loadbalancer/", ":listener/", 1);
        let (id, rule) = (self.hex(16), self.hex(16));
        let arn = format!("{head}/{id}");
        self.tag_balancing(&arn, tags)?;
        let policy = matches!(protocol.as_str(), "HTTPS" | "TLS").then(|| "ELBSecurityPolicy-2016-08".to_owned());
        let listener = Listener {
            default_rule_arn: format!("{}/{rule}", arn.replacen(":listener/", ":listener-rule/", 1)),
            arn: arn.clone(),
            protocol,
            port,
            certificates: new.certificates.clone().unwrap_or_default(),
            ssl_policy: new.ssl_policy.clone().or(policy),
            actions,
            rules: Vec::new(),
        };
        if let Some(found) = self.account.load_balancers.get_mut(balancer) {
            found.listeners.push(listener);
        }
        self.rewire();
        Ok(arn)
    }

    pub(crate) fn modify_listener(&mut self, arn: &str, change: &ListenerChange) -> Result<(), Refusal> {
        let (balancer, listener) = self.listener(arn).ok_or_else(no_listener)?;
        let port = change.port.unwrap_or(listener.port);
        let protocol = change.protocol.clone().unwrap_or_else(|| listener.protocol.clone());
        let certificates = change
            .certificates
            .clone()
            .unwrap_or_else(|| listener.certificates.clone());
        if balancer
            .listeners
            .iter()
            .any(|other| other.arn != arn && other.port == port)
        {
            return Err(Refusal::validation_error(format!(
                "Listener port '{port}' is already in use"
            )));
        }
        check_protocol(balancer, &protocol, &certificates)?;
        if let Some(actions) = &change.actions {
            self.check_actions(balancer, &protocol, actions)?;
        }
        if let Some(listener) = self.listener_mut(arn) {
            listener.port = port;
            listener.protocol = protocol;
            listener.certificates = certificates;
            listener.ssl_policy = change.ssl_policy.clone().or(listener.ssl_policy.take());
            listener.actions = change
                .actions
                .clone()
                .unwrap_or_else(|| std::mem::take(&mut listener.actions));
        }
        self.rewire();
        Ok(())
    }

    pub(crate) fn delete_listener(&mut self, arn: &str) -> Result<(), Refusal> {
        self.listener(arn).ok_or_else(no_listener)?;
        for balancer in self.account.load_balancers.values_mut() {
            balancer.listeners.retain(|listener| listener.arn != arn);
        }
        self.account.balancing_tags.remove(arn);
        self.rewire();
        Ok(())
    }

    /// Sets tags of a load balancer, a target group, a listener or a rule.
    pub(crate) fn tag_balancing(&mut self, arn: &str, tags: &[(String, String)]) -> Result<(), Refusal> {
        for (place, (key, _)) in tags.iter().enumerate() {
            if tags[..place].iter().any(|(other, _)| other == key) {
                return Err(Refusal::new(
                    "DuplicateTagKeys",
                    format!("Tag key was specified more than once: {key}"),
                ));
            }
        }
        let mut all = self.account.balancing_tags.get(arn).cloned().unwrap_or_default();
        for (key, value) in tags {
            match all.iter_mut().find(|(known, _)| known == key) {
                Some((_, old)) => old.clone_from(value),
                None => all.push((key.clone(), value.clone())),
            }
        }
        if all.len() > TAGS_MAX {
            return Err(Refusal::new(
                "TooManyTags",
                "You've reached the limit on the number of tags for this resource.",
            ));
        }
        if !all.is_empty() {
            self.account.balancing_tags.insert(arn.to_owned(), all);
        }
        Ok(())
    }

    pub(crate) fn untag_balancing(&mut self, arns: &[&str], keys: &[&str]) {
        for arn in arns {
            if let Some(tags) = self.account.balancing_tags.get_mut(*arn) {
                tags.retain(|(key, _)| !keys.contains(&key.as_str()));
            }
        }
    }

    /// Sets attributes of a load balancer that have been checked.
    pub(crate) fn set_balancer_attributes(&mut self, arn: &str, wanted: &[(String, String)]) {
        if let Some(balancer) = self.account.load_balancers.get_mut(arn) {
            balancer.attributes.extend(wanted.iter().cloned());
        }
    }

    /// A listener with its load balancer, by its ARN.
    pub fn listener(&self, arn: &str) -> Option<(&LoadBalancer, &Listener)> {
        self.every_listener().find(|(_, listener)| listener.arn == arn)
    }

    /// The listener of a rule, which may be its default one.
    pub(crate) fn rule_owner(&self, arn: &str) -> Option<(&LoadBalancer, &Listener)> {
        let has = |listener: &Listener| listener.default_rule_arn == arn || listener.rules.iter().any(|r| r.arn == arn);
        self.every_listener().find(|(_, listener)| has(listener))
    }

    fn every_listener(&self) -> impl Iterator<Item = (&LoadBalancer, &Listener)> {
        let balancers = self.account.load_balancers.values();
        balancers.flat_map(|balancer| balancer.listeners.iter().map(move |listener| (balancer, listener)))
    }

    pub(crate) fn listener_mut(&mut self, arn: &str) -> Option<&mut Listener> {
        let balancers = self.account.load_balancers.values_mut();
        balancers
            .flat_map(|balancer| &mut balancer.listeners)
            .find(|listener| listener.arn == arn)
    }

    /// Whether a listener of that protocol on that balancer may act so.
    pub(crate) fn check_actions(
        &self,
        balancer: &LoadBalancer,
        protocol: &str,
        actions: &[Action],
    ) -> Result<(), Refusal> {
        if actions.is_empty() {
            return Err(Refusal::validation_error("An action must be specified"));
        }
        let kinds = [
            "forward",
            "authenticate-oidc",
            "authenticate-cognito",
            "redirect",
            "fixed-response",
        ];
        for (place, action) in actions.iter().enumerate() {
            let member = format!("actions.{}.member.type", place + 1);
            if let Some(refusal) = enumeration(&member, &action.kind, &kinds) {
                return Err(refusal);
            }
            check_response(place + 1, action)?;
            if action.kind == "forward" && action.groups.is_empty() {
                return Err(Refusal::validation_error("A target group ARN must be specified"));
            }
            for (arn, _) in &action.groups {
                let group = self.account.target_groups.get(arn).ok_or_else(no_group)?;
                if group.load_balancer_arns.iter().any(|other| other != &balancer.arn) {
                    return Err(Refusal::new(
                        "TargetGroupAssociationLimit",
                        format!(
                            "The following target groups cannot be associated with more than one load balancer: {arn}"
                        ),
                    ));
                }
                let is_layer_7 = |protocol: &str| matches!(protocol, "HTTP" | "HTTPS");
                if is_layer_7(protocol) != is_layer_7(&group.protocol) {
                    let words = format!(
                        "Listener protocol '{protocol}' is not supported with a target group with the protocol '{}'",
                        group.protocol
                    );
                    return Err(Refusal::new("InvalidConfigurationRequest", words));
                }
            }
        }
        Ok(())
    }
}

pub(crate) fn no_balancer() -> Refusal {
    Refusal::new("LoadBalancerNotFound", "One or more load balancers not found")
}

pub(crate) fn no_listener() -> Refusal {
    Refusal::new("ListenerNotFound", "One or more listeners not found")
}

fn check_protocol(balancer: &LoadBalancer, protocol: &str, certificates: &[String]) -> Result<(), Refusal> {
    let all = [
        "HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP", "GENEVE", "QUIC", "TCP_QUIC",
    ];
    if let Some(refusal) = enumeration("protocol", protocol, &all) {
        return Err(refusal);
    }
    let own: &[&str] = if balancer.is_network() {
        &["TCP", "UDP", "TLS", "TCP_UDP", "QUIC", "TCP_QUIC"]
    } else {
        &["HTTP", "HTTPS"]
    };
    if !own.contains(&protocol) {
        let words = format!("Listener protocol '{protocol}' must be one of '{}'", own.join(", "));
        return Err(Refusal::validation_error(words));
    }
    if matches!(protocol, "HTTPS" | "TLS") && certificates.is_empty() {
        return Err(Refusal::validation_error(format!(
            "A certificate must be specified for {protocol} listeners"
        )));
    }
    Ok(())
}

fn check_response(number: usize, action: &Action) -> Result<(), Refusal> {
    if action.kind != "fixed-response" {
        return Ok(());
    }
    let code = action.settings.iter().find(|(name, _)| name == "StatusCode");
    let code = code.map(|(_, value)| value.as_str()).unwrap_or_default();
    let is_one = code.len() == 3 && code.starts_with(['2', '4', '5']) && code.bytes().all(|b| b.is_ascii_digit());
    is_one.then_some(()).ok_or_else(|| {
        constraint(
            &format!("actions.{number}.member.fixedResponseConfig.statusCode"),
            code,
            "Member must satisfy regular expression pattern: ^(2|4|5)\\d\\d$",
        )
    })
}
