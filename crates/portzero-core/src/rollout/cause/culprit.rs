//! Which containers a task can end for. The others may die without it: their end is worth a note, and blames nobody.
//!
//! Source: the API reference of ContainerDefinition. A task stops with each essential container, and the failure of
//! another one does not affect the rest, unless a container waits for it (`dependsOn`).

use crate::aws_model::task::{Container, Task};
use crate::rollout::cause::container_facts::{ContainerFacts, Dependency};

/// What AWS adds to tasks by itself: GuardDuty's agent and Service Connect's proxy.
const ADDED: [&str; 2] = ["aws-guardduty-agent", "ecs-service-connect-"];

/// Whether AWS has added the container to the task. `defined`: the containers of its definition, as far as known.
pub(crate) fn is_added(name: &str, defined: &[ContainerFacts]) -> bool {
    let is_defined = defined.iter().any(|facts| facts.name == name);
    !is_defined && (!defined.is_empty() || ADDED.iter().any(|head| name.starts_with(head)))
}

/// The containers that may be why the task ended: those that others wait for in vain come before those that wait.
pub(super) fn culprits<'a>(task: &'a Task, defined: &[ContainerFacts]) -> Vec<&'a Container> {
    let own = || task.containers.iter().filter(|c| !is_added(&c.name, defined));
    let facts = |name: &str| defined.iter().find(|facts| facts.name == name);
    let is_essential = |c: &&Container| facts(&c.name).is_none_or(|facts| facts.is_essential);
    let mut found: Vec<&Container> = own().filter(is_essential).collect();
    // Whom one of those waits for in vain, and whom that one waits for.
    let mut next = 0;
    while let Some(waiting) = found.get(next).copied() {
        let waits_for = facts(&waiting.name)
            .map(|facts| facts.depends_on.as_slice())
            .unwrap_or_default();
        let has_run = waiting.exit_code.is_some() && !names_dependency(waiting);
        let failed: Vec<&Container> = own()
            .filter(|c| waits_for.iter().any(|on| on.container == c.name && has_failed(on, c)))
            .filter(|c| !has_run && !found.iter().any(|known| known.name == c.name))
            .collect();
        found.extend(failed);
        next += 1;
    }
    found.sort_by_key(|container| is_essential(container));
    found
}

/// Whether the condition can no longer come true.
fn has_failed(on: &Dependency, container: &Container) -> bool {
    let has_run = container.exit_code.is_some();
    let has_ended = container.last_status.as_deref() == Some("STOPPED") || has_run || container.reason.is_some();
    match on.condition.as_str() {
        "SUCCESS" => has_ended && container.exit_code != Some(0),
        "HEALTHY" => has_ended,
        // START and COMPLETE: it need not end well, but it has to run.
        _ => has_ended && !has_run,
    }
}

/// The agent ends who waits in vain with an exit code of its own, 143, and says why. Source: amazon-ecs-agent, pull
/// request 3218.
fn names_dependency(container: &Container) -> bool {
    let reason = container.reason.as_deref().unwrap_or_default();
    reason.contains("failed to resolve container ordering dependency")
}

/// Who waits for a container that is not essential, and for what: `web` (SUCCESS).
pub(crate) fn waiting_for(name: &str, defined: &[ContainerFacts]) -> Option<(String, String)> {
    let is_essential = defined.iter().any(|facts| facts.name == name && facts.is_essential);
    let on = |facts: &ContainerFacts| facts.depends_on.iter().find(|on| on.container == name).cloned();
    let waiting = defined
        .iter()
        .find_map(|facts| Some((facts.name.clone(), on(facts)?.condition)));
    waiting.filter(|_| !is_essential)
}

/// A container that has died beside a task which does without it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Aside<'a> {
    pub container: &'a Container,
    pub is_added: bool,
}

/// The containers of a task that died and are no reason for its end.
pub(crate) fn asides<'a>(task: &'a Task, defined: &'a [ContainerFacts]) -> impl Iterator<Item = Aside<'a>> {
    let culprits: Vec<&str> = culprits(task, defined).iter().map(|c| c.name.as_str()).collect();
    // With a task that stops everything is stopped: exit codes tell nothing then.
    let is_stopping = task.is_stopped() || task.desired_status == crate::aws_model::task::TaskStatus::Stopped;
    let died = move |c: &&Container| c.reason.is_some() || !is_stopping && c.exit_code.is_some_and(|code| code != 0);
    let others = task
        .containers
        .iter()
        .filter(move |c| !culprits.contains(&c.name.as_str()));
    others.filter(died).map(|container| Aside {
        container,
        is_added: is_added(&container.name, defined),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn defined() -> Vec<ContainerFacts> {
        ContainerFacts::of(&json!({"containerDefinitions": [
            {"name": "web", "image": "w", "dependsOn": [{"containerName": "migrate", "condition": "SUCCESS"}]},
            {"name": "migrate", "image": "m", "essential": false,
             "dependsOn": [{"containerName": "proxy", "condition": "START"}]},
            {"name": "proxy", "image": "p", "essential": false},
            {"name": "agent", "image": "a", "essential": false},
        ]}))
    }

    fn container(name: &str, exit_code: Option<i32>, reason: Option<&str>) -> Container {
        Container {
            name: name.into(),
            exit_code,
            reason: reason.map(str::to_owned),
            ..Container::default()
        }
    }

    fn named(containers: Vec<Container>, defined: &[ContainerFacts]) -> Vec<String> {
        let task = Task {
            containers,
            ..Task::plain()
        };
        culprits(&task, defined).iter().map(|c| c.name.clone()).collect()
    }

    #[test]
    fn t03_a_task_ends_for_its_essential_containers_alone() {
        let pull = Some("CannotPullContainerError: not found");
        let containers = || {
            vec![
                container("aws-guardduty-agent-Abc123", None, pull),
                container("agent", None, pull),
                container("migrate", Some(0), None),
                container("proxy", Some(1), None),
                container("web", Some(3), None),
            ]
        };
        assert_eq!(named(containers(), &defined()), ["web"]);
        // Without the definition nobody can tell, but for what AWS adds.
        assert_eq!(named(containers(), &[]), ["agent", "migrate", "proxy", "web"]);
    }

    #[test]
    fn t03_whom_an_essential_container_waits_for_in_vain_is_the_cause() {
        let failed = vec![container("web", None, None), container("migrate", Some(1), None)];
        assert_eq!(named(failed, &defined()), ["migrate", "web"]);
        // The agent's own 143 is no run.
        let words = "CannotStartContainerError: dependency graph: failed to resolve container ordering dependency";
        let waiting = container("web", Some(143), Some(words));
        let chain = vec![
            waiting,
            container("migrate", None, Some("stopped")),
            container("proxy", None, Some("CannotPullContainerError: no")),
        ];
        let culprits = named(chain, &defined());
        assert!(culprits.contains(&"proxy".to_owned()), "{culprits:?}");
        assert_eq!(culprits.last().map(String::as_str), Some("web"));
        // It has run: whatever it waited for was good then.
        let later = vec![container("web", Some(3), None), container("migrate", Some(137), None)];
        assert_eq!(named(later, &defined()), ["web"]);
    }

    #[test]
    fn t03_what_died_beside_a_running_task_is_an_aside() {
        let task = |status: &str| Task {
            desired_status: status.into(),
            containers: vec![
                container("web", None, None),
                container("agent", Some(2), None),
                container("proxy", Some(0), None),
                container(
                    "aws-guardduty-agent-Abc123",
                    None,
                    Some("CannotPullContainerError: 403 Forbidden"),
                ),
            ],
            ..Task::plain()
        };
        let names = |status: &str| {
            let (task, defined) = (task(status), defined());
            asides(&task, &defined)
                .map(|aside| (aside.container.name.clone(), aside.is_added))
                .collect::<Vec<_>>()
        };
        let added = ("aws-guardduty-agent-Abc123".to_owned(), true);
        assert_eq!(names("RUNNING"), [("agent".to_owned(), false), added.clone()]);
        assert_eq!(names("STOPPED"), [added]);
    }
}
