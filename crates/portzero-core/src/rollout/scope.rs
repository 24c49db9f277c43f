//! What a rollout is about: whose it is, what it must reach, and the settings that its timing hangs on.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::aws_model::service::{LoadBalancerBinding, ManagedWays, Stage};
use crate::aws_model::target::TargetGroup;
use crate::base::choice::UnknownWord;
use crate::base::id::{ClusterName, DeploymentId, ServiceName, TargetGroupArn, TaskDefinitionArn};
use crate::base::text::shell;
use crate::rollout::cause::container_facts::ContainerFacts;

/// How far a run follows its rollout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Until {
    /// Every new task runs and its targets are registered, healthy or not yet.
    Registered,
    /// The new targets are healthy, and ECS calls the deployment completed.
    Healthy,
    /// Besides, no old target is left and the old tasks have stopped.
    #[default]
    Drained,
    /// The new targets are healthy, and the service deployment has come to this stage. What follows goes on without
    /// the run.
    Stage(Stage),
}

impl Until {
    /// The words, in the order in which they are offered.
    pub const WORDS: &'static [&'static str] = &["registered", "healthy", "drained", "stage:NAME"];

    /// As it is asked for.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::Healthy => "healthy",
            Self::Drained => "drained",
            Self::Stage(stage) => stage.as_goal(),
        }
    }
}

impl fmt::Display for Until {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Until {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        match (text, text.strip_prefix("stage:")) {
            ("registered", _) => Ok(Self::Registered),
            ("healthy", _) => Ok(Self::Healthy),
            ("drained", _) => Ok(Self::Drained),
            (_, Some(name)) => Stage::named(name).map(Self::Stage).ok_or_else(|| UnknownWord {
                word: name.to_owned(),
                known: Stage::WORDS,
            }),
            _ => Err(UnknownWord {
                word: text.to_owned(),
                known: Self::WORDS,
            }),
        }
    }
}

/// Everything that stays the same while one rollout is observed.
#[derive(Clone, Debug)]
pub struct Scope {
    /// Where the service is.
    pub cluster: ClusterName,
    /// The service.
    pub service: ServiceName,
    /// The id that UpdateService returned.
    pub deployment: DeploymentId,
    /// The revision that is rolled out.
    pub task_definition: TaskDefinitionArn,
    /// The revision that ran before; absent where none did or nobody can tell.
    pub previous: Option<TaskDefinitionArn>,
    /// What ECS last called completed before this deployment: the revision to go back to. It need not be the one that ran
    /// before, which may have failed itself. Absent where nothing was completed or nobody can tell.
    pub good: Option<TaskDefinitionArn>,
    /// What connects the tasks with load balancers.
    pub bindings: Vec<LoadBalancerBinding>,
    /// The target groups of those, with their settings.
    pub target_groups: BTreeMap<TargetGroupArn, TargetGroup>,
    /// What ECS manages of the ingress: `bindings` and `target_groups` have it too.
    pub managed: ManagedWays,
    /// Tasks share the instance's network: the container's port is the instance's port.
    pub is_host_network: bool,
    /// What one new task takes of an instance.
    pub needs: Needs,
    /// How far the rollout is followed.
    pub until: Until,
    /// How long the new targets must have been healthy without a break.
    pub settle: Duration,
    /// How long the run may wait in all, from the update on.
    pub wait_budget: Duration,
}

impl Scope {
    /// What joins this rollout again, from anywhere.
    pub(crate) fn observe_command(&self) -> String {
        observe_command(&self.cluster, &self.service, Some(&self.deployment))
    }

    /// The revision that somebody can be advised to go back to: never the one that is blamed.
    pub(crate) fn way_back(&self) -> Option<&TaskDefinitionArn> {
        self.good.as_ref().filter(|good| **good != self.task_definition)
    }

    /// The places that one task takes in target groups.
    pub(crate) fn places_per_task(&self) -> usize {
        self.bindings.iter().filter(|b| self.is_watched(b)).count()
    }

    /// Whether targets tell of the load balancer: not where a classic one may not be read.
    pub(crate) fn is_watched(&self, binding: &LoadBalancerBinding) -> bool {
        binding.target_group().is_some() || self.target_groups.contains_key(&binding.group())
    }

    /// The load balancers whose rules bring requests to the target groups.
    pub fn load_balancers(&self) -> Vec<String> {
        let groups = self
            .target_groups
            .values()
            .filter(|group| group.arn.classic_name().is_none());
        let all: BTreeSet<String> = groups.flat_map(|group| group.load_balancers.iter().cloned()).collect();
        all.into_iter().collect()
    }

    /// The revision that is to give way, for messages.
    pub(crate) fn previous_name(&self) -> &str {
        self.previous.as_ref().map_or("the old revision", |arn| arn.short())
    }

    /// The longest deregistration delay among the target groups, if it is known.
    pub fn deregistration_delay(&self, group: &TargetGroupArn) -> Option<Duration> {
        self.target_groups.get(group)?.deregistration_delay
    }
}

/// What looks at a service again, from anywhere: at one of its deployments, or at the newest.
pub fn observe_command(cluster: &ClusterName, service: &ServiceName, deployment: Option<&DeploymentId>) -> String {
    let which = deployment
        .map(|id| format!(" --deployment {}", shell(id)))
        .unwrap_or_default();
    format!(
        "portzero observe --cluster {} --service {}{which}",
        shell(cluster),
        shell(service)
    )
}

/// A host port that a container asks for by number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FixedPort {
    /// On the instance.
    pub host_port: u16,
    /// Whose it is.
    pub container: String,
    /// Where it leads to.
    pub container_port: u16,
}

/// What a task of the new revision asks of a container instance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// In units of 1/1024 vCPU.
    pub cpu: i64,
    /// In MiB.
    pub memory: i64,
    /// Host ports asked for by number.
    pub fixed_ports: Vec<FixedPort>,
    /// Placement constraints of the task definition.
    pub constraints: Vec<String>,
    /// Its execution role: who pulls images and reads secrets.
    pub execution_role: Option<String>,
    /// Of each container, for messages.
    pub containers: Vec<ContainerFacts>,
}

impl Needs {
    /// What is known of the container with this name.
    pub fn container(&self, name: &str) -> Option<&ContainerFacts> {
        self.containers.iter().find(|container| container.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws_model::service::Balancer;

    #[test]
    fn a_classic_load_balancer_that_may_not_be_read_is_not_waited_for() {
        let binding = |balancer| LoadBalancerBinding {
            balancer,
            ..LoadBalancerBinding::plain()
        };
        let scope = Scope {
            bindings: vec![
                binding(Balancer::TargetGroup("targetgroup/web/1".into())),
                binding(Balancer::Classic("classic".into())),
            ],
            ..Scope::plain()
        };
        assert_eq!(scope.places_per_task(), 1);
    }

    #[test]
    fn a_goal_is_named_as_it_is_asked_for() {
        let goals = [
            Until::Registered,
            Until::Healthy,
            Until::Drained,
            Until::Stage(Stage::BakeTime),
        ];
        let named = goals.map(Until::as_str);
        assert_eq!(named, ["registered", "healthy", "drained", "stage:BAKE_TIME"]);
    }

    #[test]
    fn a_goal_is_read_as_it_is_shown_and_nothing_else_is() {
        for words in ["registered", "healthy", "drained", "stage:BAKE_TIME"] {
            assert_eq!(
                words.parse::<Until>().map(|until| until.to_string()).as_deref(),
                Ok(words)
            );
        }
        let refused = |words: &str| words.parse::<Until>().map_err(|unknown| (unknown.word, unknown.known));
        assert_eq!(refused("steady"), Err(("steady".to_owned(), Until::WORDS)));
        assert_eq!(refused("stage:MOON"), Err(("MOON".to_owned(), Stage::WORDS)));
    }
}
