//! Causes of failures, read from what AWS writes in answers and event logs.

use portzero_core::aws_model::service::ServiceEvent;
use portzero_core::aws_model::task::{Container, Task, TaskStatus};
use portzero_core::rollout::cause::failure::{Cause, Pull};
use portzero_core::rollout::cause::placement::Lack;
use portzero_core::rollout::cause::resource::{Resource, ResourceTrouble, Why};
use portzero_core::rollout::cause::{failure, placement};
use serde_json::Value;

use crate::support::evidence::{self, Source};

fn json(source: &Source, number: &str) -> Value {
    serde_json::from_str(&source.numbered(number).1).expect("an answer is JSON")
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// A recorded task, as far as its end is concerned.
fn stopped(recorded: &Value) -> Task {
    let containers = recorded["containers"].as_array().into_iter().flatten();
    let containers = containers.map(|container| Container {
        name: text(&container["name"]).unwrap_or_default(),
        exit_code: container["exitCode"].as_i64().and_then(|code| i32::try_from(code).ok()),
        reason: text(&container["reason"]),
        ..Container::default()
    });
    Task {
        arn: "task/c/1".into(),
        started_by: None,
        group: None,
        task_definition: "web:1".into(),
        last_status: TaskStatus::Stopped,
        desired_status: TaskStatus::Stopped,
        container_instance: None,
        capacity_provider: None,
        zone: None,
        containers: containers.collect(),
        attached_addresses: Vec::new(),
        health_status: None,
        stop_code: text(&recorded["stopCode"]),
        stopped_reason: text(&recorded["stoppedReason"]),
        created_at: None,
        started_at: None,
        stopping_at: None,
        stopped_at: None,
    }
}

#[test]
fn the_recorded_ends_of_tasks_are_understood() {
    for source in evidence::answers() {
        let pull = json(&source, "27");
        let found = failure::read(&stopped(&pull["tasks"][0]), &[]).expect("a failure");
        let Cause::ImagePull { pull, .. } = &found.cause else {
            panic!("{found:?}");
        };
        assert_eq!(*pull, Pull::Unreachable);
        assert!(!found.cause.is_final());
        let elb = json(&source, "24");
        let mut tasks = elb["tasks"].as_array().into_iter().flatten();
        let ended = tasks
            .find(|task| task["lastStatus"] == "STOPPED")
            .expect("a stopped task");
        let found = failure::read(&stopped(ended), &[]).expect("a failure");
        let Cause::TargetUnhealthy { group } = &found.cause else {
            panic!("{found:?}");
        };
        let expected = if source.is_own { "gull" } else { "datasource-test-2" };
        assert_eq!(group.name(), expected);
        let scaled = json(&source, "28");
        assert_eq!(failure::read(&stopped(&scaled["detail"]), &[]), None);
    }
}

#[test]
fn the_recorded_event_of_a_static_port_is_understood() {
    for source in evidence::answers() {
        let recorded = json(&source, "19");
        let events = recorded["service"]["events"].as_array().into_iter().flatten();
        let found: Vec<_> = events
            .filter_map(|event| {
                placement::read(&ServiceEvent {
                    id: "1".into(),
                    created_at: None,
                    message: text(&event["message"])?,
                })
            })
            .collect();
        assert!(!found.is_empty());
        assert!(
            found
                .iter()
                .all(|trouble| trouble.lack == Lack::Port && trouble.closest.is_some()),
            "{found:?}"
        );
    }
}

#[test]
fn the_recorded_sentences_on_secrets_and_logins_are_understood() {
    for source in evidence::answers() {
        let (_, log) = source.numbered("50");
        let found: Vec<_> = log.lines().filter_map(ResourceTrouble::read).collect();
        let kinds: Vec<_> = found.iter().map(|trouble| (trouble.kind, trouble.why)).collect();
        assert_eq!(kinds[..3], [(Resource::RegistryLogin, Why::Unreachable); 3]);
        assert_eq!(kinds[3..], [(Resource::Secret, Why::Unreachable); 3]);
        assert!(found.iter().all(|trouble| !trouble.is_final()));
    }
}
