//! ECS's word that it cannot place a task. Only events say so, but what follows from it is checked against numbers.

use crate::aws_model::service::{Balancer, ServiceEvent};
use crate::aws_model::task::{ContainerInstance, InstanceStatus};
use crate::base::finding::{Code, EvidenceLabel, Finding};
use crate::base::text::{contains, plural};
use crate::rollout::cause::resource::ResourceTrouble;
use crate::rollout::scope::{FixedPort, Needs, Scope};
use crate::rollout::view::limits::Limits;

/// ECS's word that it could not place a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacementTrouble {
    /// ECS's own words.
    pub message: String,
    /// What is missing.
    pub lack: Lack,
    /// The container instance that comes closest, where ECS names one.
    pub closest: Option<String>,
}

/// What a task finds on no instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// The host port that it asks for.
    Port,
    /// Units of 1/1024 vCPU.
    Cpu,
    /// MiB of memory.
    Memory,
    /// A graphics processor.
    Gpu,
    /// A network interface for one more task in awsvpc mode.
    Interface,
    /// An attribute that the task definition asks for: a capability of the agent, a log driver, an operating system.
    Attribute,
    /// A placement constraint.
    Constraint,
    /// The agent of the closest instance does not answer.
    Agent,
    /// There is no container instance at all.
    Instances,
    /// A quota of the account.
    Quota,
    /// AWS's own capacity: no container instance is to blame.
    Aws,
    /// A free address in a subnet of the service.
    Address,
    /// A role that ECS may assume for the task.
    Role,
    /// ECS has said that it could not launch a task, for a reason that is not known here.
    Launch,
    /// The service's minimum and maximum percent: there may be room, but ECS may not use it.
    Limits,
    /// What is not known here.
    Other,
}

/// ECS's words where the service's own percentages keep it from both ways to go on.
const NO_MOVE: &str = "unable to stop or start tasks during a deployment";

/// ECS's words where a task could not even be made.
const NO_LAUNCH: &str = "failed to launch a task with";

impl Lack {
    /// ECS's words for each, in the order in which they are looked for. Source: service event messages of the Developer
    /// Guide, recorded events, and the reasons of failed placements (aws-facts 2.5 and 2.6).
    const WORDS: [(&'static str, Lack); 24] = [
        ("already using a port required by your task", Lack::Port),
        ("RESOURCE:PORTS", Lack::Port),
        ("insufficient CPU", Lack::Cpu),
        ("RESOURCE:CPU", Lack::Cpu),
        ("insufficient memory", Lack::Memory),
        ("RESOURCE:MEMORY", Lack::Memory),
        ("insufficient GPU", Lack::Gpu),
        ("RESOURCE:GPU", Lack::Gpu),
        ("RESOURCE:ENI", Lack::Interface),
        ("no available network interfaces", Lack::Interface),
        ("missing an attribute required by your task", Lack::Attribute),
        ("placement constraint unsatisfied", Lack::Constraint),
        ("\"AGENT\"", Lack::Agent),
        ("No Container Instances were found", Lack::Instances),
        ("reached the limit on the number of", Lack::Quota),
        ("configuration is above your limit", Lack::Quota),
        ("Capacity is unavailable", Lack::Aws),
        (NO_MOVE, Lack::Limits),
        ("tasks provisioning capacity limit was exceeded", Lack::Quota),
        ("EMPTY CAPACITY PROVIDER", Lack::Instances),
        ("no available IP addresses", Lack::Address),
        ("enough free addresses", Lack::Address),
        ("InsufficientFreeAddressesInSubnet", Lack::Address),
        ("unable to assume the role", Lack::Role),
    ];

    /// What is lacking, in a few words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Port => "its fixed host port is in use",
            Self::Cpu => "too little CPU is free",
            Self::Memory => "too little memory is free",
            Self::Gpu => "no GPU is free",
            Self::Interface => "none has a free network interface",
            Self::Attribute => "none has an attribute that it requires",
            Self::Constraint => "none satisfies its placement constraints",
            Self::Agent => "the ECS agent of the closest one does not answer",
            Self::Instances => "there is none",
            Self::Quota => "a quota of the account is reached",
            Self::Aws => "AWS has no capacity",
            Self::Address => "a subnet has no free address",
            Self::Role => "ECS cannot assume its role",
            Self::Launch => "ECS could not launch it",
            Self::Limits => "the minimum and maximum percent of the service leave no room",
            Self::Other => "ECS does not say why",
        }
    }

    fn read(message: &str) -> Self {
        let found = Self::WORDS.iter().find(|(words, _)| contains(message, words));
        found.map_or(Self::Other, |(_, lack)| *lack)
    }

    /// Whether a container instance more, or a bigger one, would help.
    pub(crate) fn is_of_instances(self) -> bool {
        matches!(
            self,
            Self::Cpu | Self::Memory | Self::Gpu | Self::Port | Self::Interface | Self::Instances
        )
    }

    /// Whether the cluster's instances have to do with it at all.
    fn is_about_instances(self) -> bool {
        !matches!(
            self,
            Self::Quota | Self::Aws | Self::Address | Self::Role | Self::Launch | Self::Limits
        )
    }

    /// Whether DescribeContainerInstances shows it.
    pub(crate) fn is_in_the_books(self) -> bool {
        matches!(self, Self::Cpu | Self::Memory | Self::Port | Self::Other)
    }

    /// Whether it may be over in some minutes by itself: AWS finds room, an agent comes back, an Auto Scaling group
    /// replaces what is gone.
    pub(crate) fn may_pass(self) -> bool {
        matches!(
            self,
            Self::Aws | Self::Quota | Self::Agent | Self::Instances | Self::Address | Self::Role | Self::Launch
        )
    }
}

/// Reads a service event; `None` where it is about something else, or where the task that ECS speaks of says it itself:
/// images and secrets have ECS say "unable to place", too.
pub fn read(event: &ServiceEvent) -> Option<PlacementTrouble> {
    let message = &event.message;
    let is_launch = contains(message, NO_LAUNCH);
    let lack = match Lack::read(message) {
        Lack::Other if is_launch => Lack::Launch,
        lack => lack,
    };
    let says_so = contains(message, NO_MOVE)
        || is_launch
        || contains(message, "was unable to place a task")
        || contains(message, "was unable to place tasks")
        || (contains(message, "unable to reach steady state") && lack == Lack::Instances);
    let is_of_the_task =
        contains(message, "CannotPull") || lack != Lack::Role && ResourceTrouble::read(message).is_some();
    let is_known = contains(message, "no container instance met all") || lack != Lack::Other;
    if !says_so || is_of_the_task || !is_known {
        return None;
    }
    let closest = message.split("(container-instance ").nth(1);
    Some(PlacementTrouble {
        lack,
        closest: closest.and_then(|rest| rest.split(')').next()).map(str::to_owned),
        message: message.clone(),
    })
}

/// Whether any instance could take one more task, as far as the books show it.
pub(crate) fn fits_somewhere(needs: &Needs, instances: &[ContainerInstance]) -> bool {
    instances.iter().filter(|i| is_open(i)).any(|i| {
        i.remaining.cpu >= needs.cpu
            && i.remaining.memory >= needs.memory
            && !needs
                .fixed_ports
                .iter()
                .any(|port| i.remaining.reserved_ports.contains(&port.host_port))
    })
}

/// What every instance that is open for tasks lacks for one more, as far as the books show it. Empty where one has room,
/// and where there is none at all.
pub(crate) fn shortage(needs: &Needs, instances: &[ContainerInstance]) -> Vec<(EvidenceLabel, String)> {
    let open: Vec<&ContainerInstance> = instances.iter().filter(|i| is_open(i)).collect();
    if fits_somewhere(needs, instances) {
        return Vec::new();
    }
    let is_short = |lack: fn(&ContainerInstance, &Needs) -> bool| open.iter().any(|i| lack(i, needs));
    let mut rows = Vec::new();
    if is_short(|i, needs| i.remaining.cpu < needs.cpu) {
        rows.extend(cpu(needs, &open));
    }
    if is_short(|i, needs| i.remaining.memory < needs.memory) {
        rows.extend(memory(needs, &open));
    }
    rows.extend(port(needs, &open));
    rows.into_iter().map(|(label, text)| (label.into(), text)).collect()
}

/// Whether ECS may place tasks on it at all.
fn is_open(instance: &ContainerInstance) -> bool {
    instance.status == InstanceStatus::Active && instance.agent_connected
}

/// `instances`: those of the cluster; `None` where they could not be read.
pub(crate) fn cannot_place(
    trouble: &PlacementTrouble,
    scope: &Scope,
    instances: Option<&[ContainerInstance]>,
    limits: Option<Limits>,
) -> Finding {
    let mut finding = match trouble.lack {
        Lack::Limits => return blocked(trouble, scope, limits),
        Lack::Port => Finding::error(Code::PortInUse, headline(Lack::Port, scope, instances)),
        Lack::Role => Finding::error(Code::Resources, headline(Lack::Role, scope, instances)),
        Lack::Launch => Finding::error(Code::DeploymentFailed, headline(Lack::Launch, scope, instances)),
        lack => Finding::error(Code::NoCapacity, headline(lack, scope, instances)),
    };
    finding.evidence.push(("ecs".into(), trouble.message.clone()));
    finding.evidence.extend(measured(trouble, scope, instances));
    hints(trouble, scope, instances, limits)
        .into_iter()
        .take(2)
        .for_each(|hint| finding.hints.push(hint.into()));
    finding
}

fn blocked(trouble: &PlacementTrouble, scope: &Scope, limits: Option<Limits>) -> Finding {
    let service = &scope.service;
    let summary = format!("ECS may neither stop an old task of `{service}` nor start a new one");
    let mut finding = Finding::error(Code::DeploymentBlocked, summary).evidence("ecs", &trouble.message);
    if let Some(limits) = limits {
        finding.evidence.extend(limits.sums());
        finding = finding.hint(limits.unblocking());
    }
    finding
}

fn headline(lack: Lack, scope: &Scope, instances: Option<&[ContainerInstance]>) -> String {
    let service = &scope.service;
    if instances.is_some_and(<[_]>::is_empty) && lack.is_about_instances() {
        return format!(
            "cluster `{}` has no container instance for a new task of `{service}`",
            scope.cluster
        );
    }
    match lack {
        Lack::Instances => format!(
            "cluster `{}` offers no container instance for a new task of `{service}`",
            scope.cluster
        ),
        Lack::Quota => format!("a quota of the account leaves no room for a new task of `{service}`"),
        Lack::Aws => format!("AWS gives no capacity for a new task of `{service}`"),
        Lack::Address => format!("a subnet of `{service}` has no free address for a new task"),
        Lack::Role => format!("tasks of `{service}` cannot start: ECS cannot assume their role"),
        Lack::Launch => format!("ECS cannot launch a new task of `{service}`"),
        Lack::Other => format!("no instance can take a new task of `{service}`"),
        lack => format!("no instance can take a new task of `{service}`: {}", lack.words()),
    }
}

/// `a task needs 512 units, most free 128 on i-0abc`; empty where nothing is known of the instances.
fn measured(
    trouble: &PlacementTrouble,
    scope: &Scope,
    instances: Option<&[ContainerInstance]>,
) -> Vec<(EvidenceLabel, String)> {
    let mut rows = Vec::new();
    let needs = &scope.needs;
    let all = instances.unwrap_or_default();
    let open: Vec<&ContainerInstance> = all.iter().filter(|i| is_open(i)).collect();
    match trouble.lack {
        Lack::Cpu => rows.extend(cpu(needs, &open)),
        Lack::Memory => rows.extend(memory(needs, &open)),
        Lack::Port => rows.extend(port(needs, &open)),
        Lack::Constraint if !needs.constraints.is_empty() => {
            rows.push(("constraint", needs.constraints.join("; ")));
        }
        Lack::Agent | Lack::Attribute | Lack::Interface | Lack::Constraint | Lack::Other => {
            let closest = trouble.closest.as_ref().map(|id| {
                let found = all.iter().find(|i| i.arn.short() == id);
                found.map_or_else(|| id.clone(), name)
            });
            rows.extend(closest.map(|closest| ("closest", closest)));
        }
        _ => {}
    }
    let shut = all.len() - open.len();
    if shut > 0 {
        let of = all.len();
        let text = format!(
            "{shut} of {of} {} not open for tasks (draining, or its agent does not answer)",
            plural(of, "instance")
        );
        rows.push(("instances", text));
    }
    rows.into_iter().map(|(label, text)| (label.into(), text)).collect()
}

fn cpu(needs: &Needs, open: &[&ContainerInstance]) -> Option<(&'static str, String)> {
    let most = open.iter().max_by_key(|i| (i.remaining.cpu, i.arn.clone()))?;
    let (free, on) = (most.remaining.cpu, name(most));
    Some((
        "cpu",
        format!("a task needs {} units, most free {free} on {on}", needs.cpu),
    ))
}

fn memory(needs: &Needs, open: &[&ContainerInstance]) -> Option<(&'static str, String)> {
    let most = open.iter().max_by_key(|i| (i.remaining.memory, i.arn.clone()))?;
    let (free, on) = (most.remaining.memory, name(most));
    Some((
        "memory",
        format!("a task needs {} MiB, most free {free} MiB on {on}", needs.memory),
    ))
}

fn port(needs: &Needs, open: &[&ContainerInstance]) -> Option<(&'static str, String)> {
    needs.fixed_ports.iter().map(|port| port.host_port).find_map(|port| {
        let holders: Vec<_> = open
            .iter()
            .filter(|i| i.remaining.reserved_ports.contains(&port))
            .collect();
        let example = name(holders.first()?);
        let text = match (holders.len(), open.len()) {
            (1, 1) => format!("host port {port} is taken on the only instance, {example}"),
            (taken, all) => format!("host port {port} is taken on {taken} of {all} instances, for example {example}"),
        };
        Some(("port", text))
    })
}

fn name(instance: &ContainerInstance) -> String {
    let ec2 = instance.ec2_instance_id.clone();
    ec2.unwrap_or_else(|| instance.arn.short().to_owned())
}

/// How new tasks get ports of their own. A classic load balancer knows an instance by one port, so it cannot follow.
pub(crate) fn free_port(scope: &Scope) -> String {
    let is_classic = scope
        .bindings
        .iter()
        .any(|binding| matches!(binding.balancer, Balancer::Classic(_)));
    if is_classic {
        return "add an instance, or let ECS stop an old task first: behind a classic load balancer the host port stays fixed"
            .to_owned();
    }
    let is_bound = |port: &FixedPort| {
        let mut bindings = scope.bindings.iter();
        bindings
            .any(|binding| binding.container_name == port.container && binding.container_port == port.container_port)
    };
    let fixed = &scope.needs.fixed_ports;
    match fixed.iter().find(|port| !is_bound(port)) {
        Some(port) => format!(
            "let ECS pick the port: `--dynamic-ports all`, or no `hostPort` at container `{}`, so that old and new tasks \
             share an instance",
            port.container
        ),
        None => "let ECS pick the port: hostPort 0 (`--dynamic-ports load-balanced`, the default in bridge mode), so that old \
                 and new tasks share an instance"
            .to_owned(),
    }
}

fn hints(
    trouble: &PlacementTrouble,
    scope: &Scope,
    instances: Option<&[ContainerInstance]>,
    limits: Option<Limits>,
) -> Vec<String> {
    if instances.is_some_and(<[_]>::is_empty) && trouble.lack.is_about_instances() {
        return vec!["bring container instances back: look at the cluster's Auto Scaling group".to_owned()];
    }
    let stop_first = limits.and_then(|l| l.stop_first());
    let first = match trouble.lack {
        Lack::Port if scope.is_host_network => {
            return stop_first
                .into_iter()
                .chain([
                    "use the network mode bridge or awsvpc: in host mode each instance can run one task of this kind"
                        .to_owned(),
                ])
                .collect();
        }
        Lack::Port => return vec![free_port(scope)],
        Lack::Limits | Lack::Launch => return Vec::new(),
        Lack::Cpu => "add an instance, or lower `cpu` of the task definition",
        Lack::Memory => "add an instance, or lower `memory` (or `memoryReservation`) of the task definition",
        Lack::Gpu => "add an instance with a GPU",
        Lack::Interface => {
            "turn on the account setting awsvpcTrunking for more interfaces on an instance, or add an instance"
        }
        Lack::Attribute => {
            "compare what the task definition requires (log driver, volumes, roles, operating system, processor) with the attributes of the instances, and update their ECS agent"
        }
        Lack::Constraint => "change the placement constraints, or add an instance that satisfies them",
        Lack::Agent => "restart the ECS agent of that instance, or replace the instance",
        Lack::Instances => {
            "bring container instances back: look at the cluster's Auto Scaling group or capacity provider"
        }
        Lack::Quota => "ask for a higher quota (Service Quotas, in this region), or free what other services hold",
        Lack::Aws => "give the service subnets in more Availability Zones, or try again later",
        Lack::Address => "free addresses in that subnet, or give the service further subnets",
        Lack::Role => "let ecs-tasks.amazonaws.com assume the role, in the role's trust policy",
        Lack::Other => "read the cluster's instances beside what ECS says here",
    };
    let second = stop_first.filter(|_| trouble.lack.is_of_instances() && trouble.lack != Lack::Instances);
    std::iter::once(first.to_owned())
        .chain(second.map(|hint| format!("or {hint}")))
        .collect()
}

#[cfg(test)]
mod tests;
