//! Reads that a verdict can do without: where they are not served, or fail for good, nothing else suffers.

use portzero::app::survey::sight;

use crate::served::serve;
use crate::support::http::control;
use crate::support::program::Simulator;
use crate::support::{VirtualClock, connect, run};
use crate::wire::SCENARIO;

const OPTIONAL: [&str; 4] = [
    "ecs:ListServiceDeployments",
    "ecs:DescribeServiceRevisions",
    "ecs:DescribeContainerInstances",
    "elasticloadbalancing:DescribeTargetGroupAttributes",
];

/// The demo on an emulator that lacks those operations.
fn lacking(speed: &str) -> Simulator {
    let faults = OPTIONAL.map(|action| format!("server-error,status=501,action={action}"));
    let mut arguments = vec!["--speed", speed];
    for fault in &faults {
        arguments.extend(["--fault", fault]);
    }
    Simulator::with(&arguments)
}

#[test]
fn t18_an_operation_that_is_not_served_is_not_checked_by_status_and_observe() {
    let simulator = lacking("0.0001x");
    let status = simulator.run("status --cluster demo --service web");
    assert_eq!(status.code, Some(0), "{status:#?}");
    let words = "ecs:ListServiceDeployments: The operation is not implemented.";
    assert!(status.stdout.contains(words), "{}", status.stdout);
    assert!(status.stdout.contains("2 of 2 running"), "{}", status.stdout);

    let observe = simulator.run("observe --cluster demo --service web");
    assert_eq!(observe.code, Some(0), "{observe:#?}");
    let once = observe
        .stderr
        .matches("not checked: ecs:ListServiceDeployments")
        .count();
    assert_eq!(once, 1, "{}", observe.stderr);
    assert!(observe.stderr.contains("succeeded"), "{}", observe.stderr);
}

#[test]
fn t18_a_rollback_to_a_revision_does_without_what_is_not_served() {
    let simulator = lacking("100x");
    let there = simulator.run("deploy --cluster demo --service web --image example/web:2 --settle 0s");
    assert_eq!(there.code, Some(0), "{there:#?}");
    let back = simulator.run("rollback web --cluster demo --to 1");
    assert_eq!(back.code, Some(0), "{back:#?}");
    assert!(
        back.stderr.contains("succeeded: web  web:2 -> web:1"),
        "{}",
        back.stderr
    );
}

#[test]
fn t18_a_read_that_keeps_failing_is_given_up_and_the_service_is_shown() {
    let url = serve(SCENARIO, 0);
    for action in OPTIONAL {
        let fault = format!(r#"{{"fault": "server-error", "action": "{action}"}}"#);
        control(&url, "POST", "faults", &fault);
    }
    let (clock, place) = (VirtualClock::default(), (&"demo".into(), &"web".into()));
    let found = run(async {
        let aws = connect(&url, &clock).await;
        sight(&aws, &&clock, place, None, false).await
    });
    let survey = found.expect("the service can be read").survey;
    let given_up = survey.not_checked.iter().map(|error| (error.action, error.status));
    let given_up: Vec<_> = given_up.collect();
    for action in [
        "ecs:ListServiceDeployments",
        "elasticloadbalancing:DescribeTargetGroupAttributes",
    ] {
        assert!(given_up.contains(&(action, Some(500))), "{action}: {given_up:?}");
    }
    let waited: std::time::Duration = clock.slept.borrow().iter().sum();
    assert!(waited.as_secs() < 40, "each is tried for some seconds: {waited:?}");
}

#[test]
fn t18_a_necessary_read_stays_necessary() {
    let url = serve(SCENARIO, 0);
    let fault = r#"{"fault": "server-error", "action": "elasticloadbalancing:DescribeTargetHealth"}"#;
    control(&url, "POST", "faults", fault);
    let (clock, place) = (VirtualClock::default(), (&"demo".into(), &"web".into()));
    let found = run(async {
        let aws = connect(&url, &clock).await;
        sight(&aws, &&clock, place, None, false).await
    });
    let finding = found.expect_err("the targets decide");
    assert!(finding.summary.contains("DescribeTargetHealth"), "{finding:?}");
}

/// Good rollouts while a part of the reads fails, from the first to the last.
#[test]
fn t21_good_rollouts_succeed_while_many_reads_fail() {
    let folder = tempfile::tempdir().expect("a folder");
    let here = |file: &str| format!("{}/tests/scenarios/{file}", env!("CARGO_MANIFEST_DIR"));
    let rehearse = format!(
        "rehearse --task-definition {} --scenario {} --quiet",
        here("web.json"),
        here("01-rolling-update.yml")
    );
    let (mut good, mut ended_otherwise) = (0, Vec::new());
    for share in ["0.3", "0.4", "0.5"] {
        let fault = |calls: &str| format!(" --fault server-error,action={calls},share={share}");
        let faults: String = ["ecs:Describe*", "ecs:List*", "elasticloadbalancing:Describe*"]
            .map(fault)
            .concat();
        for seed in 1..=8 {
            let said = crate::support::program::run(folder.path(), &format!("{rehearse}{faults} --seed {seed}"));
            match said.code {
                Some(0) => good += 1,
                // What cannot be read before the first change changes nothing.
                Some(3) if said.stderr.contains("nothing was changed") => {}
                _ => ended_otherwise.push((share, seed, said)),
            }
        }
    }
    assert!(ended_otherwise.is_empty(), "{ended_otherwise:#?}");
    assert!(good >= 20, "{good} of 24");
}
