//! The list of faults: their names, what they do, and when they strike unless told otherwise. This list is what `--help`,
//! the schema of scenario files and the documentation are held against.

use crate::scenario::error::ScenarioError;
use crate::scenario::fault::scope::Since;

/// Where a fault works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layer {
    /// In the world: tasks, targets, instances, deployments.
    World,
    /// Between the client and the world: what is answered, or not.
    Wire,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub name: &'static str,
    pub what: &'static str,
    pub layer: Layer,
    pub since: Since,
    /// In seconds. For faults on the wire only where neither `action` nor `count` is given.
    pub begins: u64,
    /// In seconds; `None`: for good. For faults on the wire only where neither `action` nor `count` is given.
    pub lasts: Option<u64>,
    /// The calls that a fault on the wire strikes where no `action` is given.
    pub action: &'static str,
}

const fn world(name: &'static str, what: &'static str) -> Entry {
    Entry {
        name,
        what,
        layer: Layer::World,
        since: Since::Update,
        begins: 0,
        lasts: None,
        action: "",
    }
}

const fn wire(name: &'static str, what: &'static str) -> Entry {
    Entry {
        layer: Layer::Wire,
        since: Since::Start,
        action: "*",
        ..world(name, what)
    }
}

impl Entry {
    const fn at(self, begins: u64) -> Self {
        Self { begins, ..self }
    }

    const fn lasting(self, seconds: u64) -> Self {
        Self {
            lasts: Some(seconds),
            ..self
        }
    }

    const fn standing(self) -> Self {
        Self {
            since: Since::Start,
            ..self
        }
    }

    const fn on(self, action: &'static str) -> Self {
        Self { action, ..self }
    }
}

pub(crate) const ALL: &[Entry] = &[
    // Containers.
    world("image-pull", "the new revision's image does not exist in its registry"),
    world(
        "crash-loop",
        "the new revision's container exits with code 1 soon after it has started",
    ),
    world(
        "container-unhealthy",
        "the new revision fails its own container health check",
    ),
    world(
        "out-of-memory",
        "the new revision's container is killed for its memory (exit code 137)",
    ),
    world("secrets", "a secret of the new revision cannot be read"),
    world(
        "ignores-sigterm",
        "containers do not end before they are killed, 30 s after SIGTERM (exit code 137)",
    )
    .standing(),
    // Targets.
    world("unhealthy", "the new revision answers its health check with 404"),
    world(
        "health-timeout",
        "the new revision does not answer its health check at all",
    ),
    world(
        "flapping",
        "the new revision's targets are healthy, then unhealthy, then healthy",
    ),
    world(
        "slow-start",
        "the new revision needs 90 s before it answers its health check",
    ),
    world("not-in-use", "no listener forwards to the service's target groups").standing(),
    world(
        "az-not-enabled",
        "the availability zone of the tasks is not enabled on the load balancer",
    ),
    world("checks-disabled", "the target groups check nobody's health").standing(),
    world(
        "route-failed",
        "ECS cannot make the gateway route or the ingress path of the next revision",
    )
    .standing(),
    world(
        "wrong-vpc",
        "new targets are in another VPC than their target group, and are not registered",
    ),
    world(
        "weights-drift",
        "the production rule's weights go to the other or an empty target group 45 s after the update",
    )
    .at(45),
    world(
        "target-group-deleted",
        "the service's target groups are deleted 30 s after the update",
    )
    .at(30),
    // Capacity.
    world("no-capacity", "no container instance has room for one more task").standing(),
    world(
        "port-clash",
        "something else on each instance already listens on the fixed host port",
    )
    .standing(),
    world(
        "instance-loss",
        "a container instance is terminated 30 s after the update",
    )
    .at(30),
    world(
        "instance-drain",
        "a container instance is set to DRAINING 30 s after the update",
    )
    .at(30),
    world(
        "instance-impaired",
        "ECS finds the host of a container instance unhealthy 30 s after the update",
    )
    .at(30),
    world(
        "spot-interruption",
        "an instance gets its Spot notice 30 s after the update, and is gone 2 min later",
    )
    .at(30),
    world(
        "agent-disconnected",
        "the ECS agent of a container instance is disconnected 10 s after the update: nothing starts or stops there",
    )
    .at(10),
    world(
        "capacity-provider-slow",
        "the service's capacity provider launches no instance for new tasks for 10 min after the update",
    )
    .lasting(600),
    // Deployments.
    world("other-deployment", "somebody else updates the service 45 s after we do").at(45),
    world(
        "deployment-in-progress",
        "somebody else's deployment is in progress when we begin",
    )
    .standing(),
    world("autoscaling", "the desired count is doubled 20 s after the update").at(20),
    world("desired-zero", "the service's desired count is 0 from the start").standing(),
    world(
        "task-protection",
        "the old tasks are protected against scaling in for a minute after the update",
    )
    .lasting(60),
    world("service-deleted", "somebody deletes the service 30 s after the update").at(30),
    // The wire.
    wire("aws-throttling", "AWS's published token buckets hold"),
    wire(
        "throttled",
        "calls are refused with ThrottlingException for a minute, or beyond a `rate`",
    )
    .at(10)
    .lasting(60),
    wire("server-error", "calls are answered with 500 for a minute")
        .at(10)
        .lasting(60),
    wire("html", "a proxy's page answers calls with 502 for a minute")
        .at(10)
        .lasting(60),
    wire("truncated", "answers are cut off in the middle for a minute")
        .at(10)
        .lasting(60),
    wire("reset", "connections are closed without an answer for a minute")
        .at(10)
        .lasting(60),
    wire("slow", "answers come 10 s late for a minute").at(10).lasting(60),
    wire("stale", "reads show what was 5 s ago"),
    wire("unlisted", "a new deployment is not listed for 10 s"),
    wire("expired-credentials", "the caller's credentials expire after 30 s").at(30),
    wire("denied", "ecs:UpdateService is not allowed; `action` names another").on("ecs:UpdateService"),
    wire(
        "clock-skew",
        "the caller's clock is 6 min behind: more than 5 min, and signatures are refused",
    ),
    wire(
        "concurrent-registration",
        "two registrations are refused, for somebody else registers the same family",
    )
    .on("ecs:RegisterTaskDefinition"),
    wire(
        "service-role",
        "UpdateService is refused, for ECS cannot assume the role that it needs",
    )
    .on("ecs:UpdateService"),
    wire("unknown-enum", "a status is spelled in a way that no model knows"),
    wire(
        "hostile-text",
        "events, reasons and descriptions hold commands, markup and secrets",
    ),
];

/// The entry of a name.
pub(crate) fn entry(name: &str) -> Option<&'static Entry> {
    ALL.iter().find(|entry| entry.name == name)
}

/// Every fault's name, with one line on what it does.
pub fn fault_names() -> Vec<(&'static str, &'static str)> {
    ALL.iter().map(|entry| (entry.name, entry.what)).collect()
}

/// The names of the faults that work in the world itself, and so without a wire too.
pub fn world_fault_names() -> Vec<&'static str> {
    let world = ALL.iter().filter(|entry| entry.layer == Layer::World);
    world.map(|entry| entry.name).collect()
}

/// The name that a slip is nearest to.
pub(crate) fn nearest(name: &str) -> Option<&'static str> {
    let distances = ALL
        .iter()
        .map(|entry| (strsim::damerau_levenshtein(entry.name, name), entry.name));
    distances
        .min()
        .filter(|(distance, _)| *distance <= 4)
        .map(|(_, name)| name)
}

/// Refuses an unknown fault with the nearest known one.
pub(crate) fn check_name(name: &str) -> Result<(), ScenarioError> {
    if entry(name).is_some() {
        return Ok(());
    }
    let error = ScenarioError::new(format!("the simulator knows no fault `{name}`"));
    Err(match nearest(name) {
        Some(known) => error.hint(format!("did you mean `{known}`?")),
        None => error.hint("`portzero simulate --help` lists the faults"),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_name_stands_once_and_is_spelled_like_the_others() {
        let names: BTreeSet<&str> = ALL.iter().map(|entry| entry.name).collect();
        assert_eq!(names.len(), ALL.len());
        assert!(
            names
                .iter()
                .all(|n| n.chars().all(|c| c.is_ascii_lowercase() || c == '-'))
        );
    }
}
