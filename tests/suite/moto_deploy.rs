//! The whole program against moto, where services are updated and no task ever starts: it must neither hang nor praise.

use crate::support::clients::{python, variables};
use crate::support::moto_server::MotoServer;
use crate::support::needs::Need;
use crate::support::program::{Said, portzero, said};

fn on(moto: &MotoServer, arguments: &str) -> Said {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = portzero(folder.path());
    command.envs(variables(&moto.url)).args(arguments.split_whitespace());
    said(&mut command)
}

#[test]
fn a_rollout_that_never_begins_times_out_and_says_what_it_waited_for() {
    if !Need::Boto3.is_met() {
        return;
    }
    let Some(moto) = MotoServer::start() else { return };
    python(&variables(&moto.url), "furnish.py", &[]);

    let missing = on(
        &moto,
        "deploy --cluster staging --service wbe --image web=example/web:2",
    );
    assert_eq!(missing.code, Some(3), "{missing:#?}");
    assert!(missing.stderr.contains("did you mean `web`?"), "{missing:#?}");

    let deployed = on(
        &moto,
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
