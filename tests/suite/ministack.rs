//! The whole program on MiniStack, an emulator of AWS. There `startedBy` names the service and no deployment, and without
//! Docker a task has no address: what rests on either is said, and nothing is praised that was not seen.

use crate::support::clients::{python, variables};
use crate::support::emulators::{Emulator, MiniStack};
use crate::support::needs::Need;

fn furnished(stack: &Emulator) {
    python(&variables(&stack.url), "furnish_fargate.py", &[]);
}

const BY_REVISION: &str = "`startedBy` of no task names a deployment";

#[test]
fn t23_a_service_on_ministack_is_deployed_followed_and_taken_back() {
    if !Need::Boto3.is_met() {
        return;
    }
    let Some(stack) = MiniStack::start() else { return };
    furnished(&stack);
    let worker = "--cluster staging --service worker";
    stack.assert_run(
        &format!("deploy {worker} --image example/worker:2 --timeout 20s"),
        0,
        &[BY_REVISION, "(worker:2): RUNNING", "succeeded: worker"],
    );
    let status = ["worker:2: 1 RUNNING", "told apart by revision and age"];
    stack.assert_run(&format!("status {worker}"), 0, &status);
    let observed = ["succeeded: worker", "no rollout of `worker` was in flight", BY_REVISION];
    stack.assert_run(&format!("observe {worker} --timeout 20s"), 0, &observed);
    // What ran well before is known of AWS's service deployments alone.
    stack.assert_run(&format!("rollback {worker}"), 3, &["no-way-back", "--to REVISION"]);
    let back = [BY_REVISION, "(worker:1): RUNNING", "succeeded: worker"];
    stack.assert_run(&format!("rollback {worker} --to worker:1 --timeout 20s"), 0, &back);
    stack.assert_run(&format!("status {worker}"), 0, &["worker:1: 1 RUNNING"]);
}

#[test]
fn t22_a_service_on_ministack_whose_tasks_show_no_address_is_not_praised() {
    if !Need::Boto3.is_met() {
        return;
    }
    let Some(stack) = MiniStack::start() else { return };
    furnished(&stack);
    let words = [
        "waiting on ECS to show the address of 2 running new tasks; new targets: 0 of 2 healthy",
        "so its target was not found, healthy or not",
        "aws ecs describe-tasks --cluster staging --tasks",
    ];
    let web = "--cluster staging --service web --timeout 1s";
    stack.assert_run(&format!("deploy {web} --image example/web:2"), 4, &words);
    stack.assert_run(&format!("observe {web}"), 4, &words);
}
