//! The whole program on moto, where services are updated and no task starts by itself: it must neither hang nor praise.

use crate::support::clients::{python, variables};
use crate::support::emulators::MotoServer;
use crate::support::needs::Need;

#[test]
fn a_rollout_that_never_begins_times_out_and_says_what_it_waited_for() {
    if !Need::Boto3.is_met() {
        return;
    }
    let Some(moto) = MotoServer::start() else { return };
    python(&variables(&moto.url), "furnish.py", &[]);

    let missing = moto.run("deploy --cluster staging --service wbe --image web=example/web:2");
    assert_eq!(missing.code, Some(3), "{missing:#?}");
    assert!(missing.stderr.contains("did you mean `web`?"), "{missing:#?}");

    let deployed = moto.run(
        // What moto calls in progress never ends.
        "deploy --cluster staging --service web --image web=example/web:2 --timeout 3s --format json --if-busy replace",
    );
    assert_eq!(deployed.code, Some(4), "{deployed:#?}");
    let result = deployed.json();
    assert_eq!(result["verdict"], "timed-out");
    assert_eq!(result["services"][0]["url"], "http://shop.example.com/web/");
    let after = result["services"][0]["task_definition"]["after"].as_str();
    assert!(after.is_some_and(|arn| arn.ends_with("/web:2")), "{result:#}");
    for said in [
        "not checked: ecs:ListServiceDeployments",
        "did not finish rolling out within 3s: waiting on ECS to start the first new task",
        "the rollout continues without this run",
    ] {
        assert!(deployed.stderr.contains(said), "{said}: {deployed:#?}");
    }
}

#[test]
fn t22_moto_shows_addresses_in_attachments_alone_and_each_target_has_its_task() {
    if !Need::Boto3.is_met() {
        return;
    }
    // Two tasks that moto counts and does not run: the script runs them.
    let Some(moto) = MotoServer::start_with(&[("MOTO_ECS_SERVICE_RUNNING", "2")]) else {
        return;
    };
    python(&variables(&moto.url), "furnish_fargate.py", &["tasks"]);
    let web = "--cluster staging --service web";
    let not_served = "not checked   ecs:ListServiceDeployments";
    let status = moto.run(&format!("status {web}"));
    assert_eq!(status.stdout.matches(":8080  healthy  task ").count(), 2, "{status:#?}");
    assert!(
        status.code == Some(0) && status.stdout.contains(not_served),
        "{status:#?}"
    );
    // moto lists them for every service.
    let other = moto.run("status --cluster staging --service worker");
    assert!(other.code == Some(0) && !other.stdout.contains("web:1"), "{other:#?}");
    moto.assert_run(
        &format!("observe {web} --timeout 20s"),
        0,
        &[
            "(web:1): RUNNING",
            "succeeded: web",
            "not checked: ecs:ListServiceDeployments",
        ],
    );
    // From here on moto has a new deployment, and the tasks of the old one.
    let never_begins = ["waiting on ECS to start the first new task", "web:1 runs 2 tasks"];
    moto.assert_run(
        &format!("deploy {web} --image example/web:2 --timeout 1s"),
        4,
        &never_begins,
    );
    moto.assert_run(&format!("observe {web} --timeout 1s"), 4, &never_begins);
    moto.assert_run(&format!("rollback {web}"), 3, &["no-way-back", "--to REVISION"]);
    moto.assert_run(&format!("rollback {web} --to web:1 --timeout 1s"), 4, &never_begins);
}
