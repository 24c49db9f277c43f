//! Scenario files: what is read, and where a mistake is said to be.

use std::time::Duration;

use super::super::Scenario;
use super::super::scenario::Throttling;
use crate::model::status::TargetState;
use crate::scenario::span::Spread;

#[test]
fn a_file_is_read_with_its_durations() {
    let text = "seed: 7\ntarget_groups: [{name: web, health_check: {interval: 10s}, deregistration_delay: 30s}]\n\
                    timings: {cadence: 9s..11s}\nfaults: [{fault: image-pull, at: 5s}]\n";
    let scenario = Scenario::read(text, "a.yml").expect("reads");
    assert_eq!(scenario.target_groups[0].health_check.interval, Duration::from_secs(10));
    assert_eq!(scenario.timings.cadence, Spread::millis(9_000, 11_000));
    assert_eq!(scenario.faults[0].timetable.at, Some(Duration::from_secs(5)));
}

#[test]
fn a_whole_file_makes_a_world() {
    let text = r#"
description: a rolling update on two instances
seed: 3
start: 2026-03-01T08:00:00Z
cluster: staging
instances:
  - { cpu: 2048, memory: 3904, count: 2 }
target_groups:
  - { name: users, health_check: { path: /ping, interval: 10s, matcher: "200-299" } }
services:
  - name: users
    task_definition:
      family: users
      containerDefinitions:
        - name: users-service
          image: users:1
          memoryReservation: 300
          portMappings: [{ containerPort: 5000, hostPort: 0 }]
    revision: 41
    desired_count: 2
    circuit_breaker: { enable: true, rollback: true }
    health_check_grace_period: 30s
    load_balancers: [{ target_group: users, container_name: users-service, container_port: 5000 }]
faults:
  - { fault: unhealthy, code: 502, for: 2m, revision: 42 }
command: [deploy, users]
"#;
    let scenario = Scenario::read(text, "a.yml").expect("reads");
    let world = crate::World::new(&scenario).expect("a world");
    let service = &world.account().clusters["staging"].services["users"];
    assert_eq!(service.deployments[0].running_count, 2);
    assert!(service.task_definition.ends_with(":task-definition/users:41"));
    let group = world.account().target_groups.values().next().expect("a group");
    assert!(
        group.targets.len() == 2
            && group
                .targets
                .iter()
                .all(|t| t.state == TargetState::Healthy && t.port >= 32_768)
    );
    assert_eq!(world.now().to_string(), "2026-03-01T08:00:00.000Z");
}

#[test]
fn an_unknown_key_is_shown_where_it_stands() {
    let errors = Scenario::read("seed: 1\nsevices: []\n", "a.yml").expect_err("unknown key");
    let at = errors[0].place.clone().expect("a place");
    assert_eq!((at.line, at.column), (2, 1));
}

#[test]
fn a_bare_number_is_no_duration() {
    let text = "target_groups:\n  - name: web\n    deregistration_delay: 30\n";
    let errors = Scenario::read(text, "a.yml").expect_err("no unit");
    assert!(errors[0].message.contains("duration"), "{}", errors[0].message);
}

#[test]
fn an_unknown_fault_is_met_with_the_nearest_one() {
    let error = Scenario::default().add_fault("image-pul").expect_err("no such fault");
    assert!(error.to_string().contains("did you mean `image-pull`?"), "{error}");
}

#[test]
fn throttling_is_none_that_of_aws_or_a_rate() {
    let read = |text: &str| Scenario::read(&format!("throttling: {text}\n"), "a.yml").map(|s| s.throttling);
    let fixed = |burst, per_kilosecond| Throttling::Fixed { burst, per_kilosecond };
    assert_eq!(read("none"), Ok(Throttling::None));
    assert_eq!(read("aws"), Ok(Throttling::Aws));
    assert_eq!(read("5/s"), Ok(fixed(5, 5_000)));
    assert_eq!(read("0.2/s burst 10"), Ok(fixed(10, 200)));
    for wrong in ["5", "0/s", "5/s burst 0", "5/min", "AWS"] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_fault_on_the_command_line_takes_the_keys_of_a_file() {
    let mut scenario = Scenario::default();
    let text = "reset,action=ecs:UpdateService,count=1,when=after,share=0.5,for=10s";
    scenario.add_fault(text).expect("a fault");
    let fault = &scenario.faults[0];
    assert_eq!(
        (fault.calls.count, fault.calls.share, fault.timetable.lasts),
        (Some(1), Some(0.5), Some(Duration::from_secs(10)))
    );
    for (wrong, words) in [
        ("reset,count", "`count` of the fault `reset` is not KEY=VALUE"),
        ("reset,cuont=1", "the fault `reset`: unknown key `cuont`"),
        (
            "reset,count=many",
            "the fault `reset`: `count`: expected a whole number from 0 to 4294967295",
        ),
        ("rest,count=1", "knows no fault `rest`"),
    ] {
        let error = scenario.add_fault(wrong).expect_err(wrong);
        assert!(error.message.contains(words), "{}", error.message);
    }
}

#[test]
fn a_mistake_in_a_fault_is_said_in_the_same_words_everywhere() {
    for (fault, words) in [
        ("{at: 5s}", "a fault has a name: {\"fault\": \"unhealthy\"}"),
        ("unhealthy", "expected a map, got unhealthy"),
        (
            "{fault: unhealthy, code: many}",
            "code: expected a whole number from 0 to 65535, got many",
        ),
        (
            "{fault: unhealthy, kind: purple}",
            "`purple` is no kind of anything; known are cpu, memory, ports, ",
        ),
        (
            "{fault: html, status: 404}",
            "`404` is no status of a server's failure: from 500 to 599",
        ),
        ("{fault: reset, cuont: 1}", "unknown key `cuont`"),
    ] {
        let errors = Scenario::read(&format!("faults:\n  - {fault}\n"), "a.yml").expect_err(fault);
        assert!(errors[0].message.contains(words), "{errors:?}");
        assert_eq!(errors[0].place.as_ref().map(|place| place.line), Some(2), "{errors:?}");
    }
    let error = serde_json::from_value::<crate::FaultSpec>(3.into()).expect_err("no mapping");
    assert_eq!(error.to_string(), "invalid type: number, expected struct FaultSpec");
}

#[test]
fn p18_a_slip_in_a_scenario_is_told_with_its_place_in_words_of_the_file() {
    for (text, place, words) in [
        (
            "target_groups:\n  - { name: web, port: http }\n",
            (2, 24),
            "port: expected a whole number from 0 to 65535, got http",
        ),
        (
            "services:\n  - name: web\n    desired_count: -1\n",
            (3, 20),
            "desired_count: expected a whole number from 0 to 4294967295, got -1",
        ),
        (
            "faults:\n  - { fault: unhealthy, for: 30 }\n",
            (2, 30),
            "for: expected a duration with a unit, such as `30s`, got 30",
        ),
        (
            "seed: yes\n",
            (1, 7),
            "seed: expected a whole number, 0 or more, got yes",
        ),
        ("services: { web: {} }\n", (1, 11), "services: expected a list"),
        ("cluster:\n", (1, 8), "cluster: expected a text"),
        (
            "seed: 1\nseed: 2\n",
            (2, 1),
            "the key `seed` is there twice in one map (keep one `seed`)",
        ),
        (
            "target_groups:\n  - { name: web, ip_address_type: ipv5 }\n",
            (2, 35),
            "ip_address_type: unknown word `ipv5` (did you mean `ipv4`?)",
        ),
        (
            "sevices: []\n",
            (1, 1),
            "unknown key `sevices` (did you mean `services`?)",
        ),
    ] {
        let errors = Scenario::read(text, "a.yml").expect_err(text);
        let at = errors[0].place.clone().expect("a place");
        assert_eq!((at.line, at.column), place, "{text}");
        assert_eq!(
            errors[0].to_string(),
            format!("a.yml:{}:{}: {words}", place.0, place.1),
            "{text}"
        );
    }
}
