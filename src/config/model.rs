//! What a configuration says, with everything filled in.

use std::time::Duration;

use portzero_core::aws_model::service::{LoadBalancerBinding, SchedulingStrategy};
use portzero_core::base::finding::{Code, Finding, Location};
use portzero_core::base::id::{ClusterName, ServiceName};
use portzero_core::base::text::nearest;

use super::settings::Settings;

/// A configuration with everything filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    pub region: Option<String>,
    pub services: Vec<ServiceConfig>,
    pub warnings: Vec<Finding>,
    /// The one of `environments:` that was chosen, by name or by the branch.
    pub environment: Option<String>,
    /// Which AWS accounts the file is for.
    pub accounts: Option<Accounts>,
}

/// Which AWS accounts a file is for: with credentials of another one nothing is read and nothing changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accounts {
    /// `allowed_account_ids`; `None` allows every account.
    pub allowed: Option<Vec<String>>,
    /// `forbidden_account_ids`.
    pub forbidden: Vec<String>,
    pub location: Location,
}

/// One service of the configuration. What is `None` is not said there: an existing service answers for itself.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceConfig {
    pub name: ServiceName,
    /// A second name to call it by (deployfish's `environment`).
    pub alias: Option<String>,
    pub cluster: Option<ClusterName>,
    /// For `create` alone: a deployment never touches the desired count.
    pub count: Option<u32>,
    /// `None`: what the service runs.
    pub source: Option<TaskDefinitionSource>,
    /// (container, image) to put into the task definition.
    pub images: Vec<(String, String)>,
    /// What fills the `%s` of a task definition file, in order.
    pub template_values: Vec<String>,
    pub load_balancers: Vec<LoadBalancerBinding>,
    pub settings: Settings,
    /// Services of the same file that come first.
    pub depends_on: Vec<Dependency>,
    pub probes: Vec<Probe>,
    /// Where the service is reached.
    pub url: Option<String>,
    pub minimum_healthy_percent: Option<u32>,
    pub maximum_percent: Option<u32>,
    pub launch_type: Option<String>,
    pub scheduling: SchedulingStrategy,
    pub health_check_grace_period: Option<Duration>,
    pub location: Location,
}

/// Where a service's task definition comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum TaskDefinitionSource {
    /// A file; the path is as written.
    File { path: String, location: Location },
    /// `family`, `family:revision` or an ARN.
    Family(String),
    /// What the service runs.
    Current,
    /// The body of RegisterTaskDefinition, made from `family`, `containers`, …
    Inline(serde_json::Value),
}

/// A service that another one depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    pub name: String,
    pub location: Location,
}

/// What a user of the service would try, during the rollout and after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    pub name: String,
    pub url: String,
    /// The HTTP status that is right.
    pub expect: u16,
    pub location: Location,
}

impl Accounts {
    /// # Errors
    /// The file is for other accounts.
    pub fn check(&self, account: &str) -> Result<(), Box<Finding>> {
        let is_in = |list: &[String]| list.iter().any(|id| id == account);
        let refused = |why: String| Box::new(Finding::error(Code::Config, why).at(self.location.clone()));
        let hint = "use credentials of another account; nothing was read or changed with these";
        match &self.allowed {
            Some(allowed) if !is_in(allowed) => {
                let finding = refused(format!(
                    "the credentials are of account {account}, and the file is for others"
                ));
                Err(Box::new(finding.evidence("allowed", allowed.join(", ")).hint(hint)))
            }
            _ if is_in(&self.forbidden) => {
                let finding = refused(format!(
                    "the credentials are of account {account}, which the file forbids"
                ));
                Err(Box::new(finding.hint(hint)))
            }
            _ => Ok(()),
        }
    }
}

impl Config {
    /// The services of these names or aliases, in the order of the file; all of them where no name is given.
    ///
    /// # Errors
    /// A name that no service has (the nearest one is suggested), or that several have.
    pub fn select(&self, names: &[String]) -> Result<Vec<&ServiceConfig>, Vec<Finding>> {
        let mut findings = Vec::new();
        let chosen: Vec<&ServiceConfig> = names
            .iter()
            .filter_map(|name| self.one(name).map_err(|finding| findings.push(*finding)).ok())
            .collect();
        match (findings.is_empty(), names.is_empty()) {
            (false, _) => Err(findings),
            (true, true) => Ok(self.services.iter().collect()),
            (true, false) => Ok(self
                .services
                .iter()
                .filter(|s| chosen.iter().any(|c| std::ptr::eq(*c, *s)))
                .collect()),
        }
    }

    fn one(&self, name: &str) -> Result<&ServiceConfig, Box<Finding>> {
        let by_name: Vec<_> = self.services.iter().filter(|s| s.name.as_str() == name).collect();
        let found = match by_name.is_empty() {
            false => by_name,
            true => self
                .services
                .iter()
                .filter(|s| s.alias.as_deref() == Some(name))
                .collect(),
        };
        match found.as_slice() {
            [one] => Ok(one),
            [] => Err(Box::new(self.unknown(name))),
            many => Err(Box::new(many.iter().fold(
                Finding::error(Code::Config, format!("`{name}` names {} services", many.len())),
                |finding, service| finding.evidence(service.name.as_str(), service.location.to_string()),
            ))),
        }
    }

    fn unknown(&self, name: &str) -> Finding {
        let known: Vec<&str> = self
            .services
            .iter()
            .flat_map(|s| std::iter::once(s.name.as_str()).chain(s.alias.as_deref()))
            .collect();
        let finding = Finding::error(Code::Config, format!("the configuration has no service `{name}`"));
        match nearest(name, known.iter().copied()) {
            Some(near) => finding.hint(format!("did you mean `{near}`?")),
            None => finding.evidence("services", known.join(", ")),
        }
    }
}
