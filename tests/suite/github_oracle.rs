//! Every request that portzero sends to GitHub's REST API, held against GitHub's own description of it. The one GraphQL query
//! is not in that description; its answer is read by `the_login_of_an_app_is_asked_for_and_a_wrong_guess_is_found_out`.

use std::collections::BTreeMap;
use std::time::Duration;

use portzero::app::announce;
use portzero_core::port::PullRequests as _;
use portzero_core::pull_request::{DeploymentState, Origin};

use crate::github::mark;
use crate::github_records::{commit_status, new_deployment, status};
use crate::support::github::{GitHub, LOGIN, Pull, Recorded, Route};
use crate::support::prism::Prism;
use crate::support::{VirtualClock, run};

const MINUTE: Duration = Duration::from_secs(60);

/// Everything that a run can say, once. One request per route, the last of its kind.
fn every_request() -> BTreeMap<String, Recorded> {
    let (github, clock) = (GitHub::start(), VirtualClock::default());
    github.associate("c0ffee", &[Pull::merged(7, "staging", "c0ffee")]);
    let origin = Origin {
        event: "push".to_owned(),
        sha: "c0ffee".to_owned(),
        ..Origin::default()
    };
    run(async {
        let client = github.client(&clock);
        announce::pull_request(&client, &&clock, &origin, MINUTE)
            .await
            .expect("a number");
        client.pull_request(7).await.expect("a pull request");
        for run_id in [1, 2] {
            let mark = mark("staging/portzero.yml", run_id);
            announce::comment(&client, &&clock, 7, &mark, "hello", MINUTE)
                .await
                .expect("a comment");
        }
        let double = github.comment(7, LOGIN, "double");
        client.delete_comment(double).await.expect("gone");
        let id = announce::deployment(&client, &&clock, &new_deployment(1), MINUTE)
            .await
            .expect("a deployment");
        client.deployments("c0ffee", "staging").await.expect("deployments");
        let done = status(DeploymentState::Success);
        announce::deployment_status(&client, &&clock, id, &done, MINUTE)
            .await
            .expect("a status");
        announce::commit_status(&client, &&clock, "c0ffee", &commit_status(), MINUTE)
            .await
            .expect("a status");
    });
    let rest = github
        .requests()
        .into_iter()
        .filter(|request| request.route != Some(Route::GraphQl));
    rest.map(|request| (format!("{:?}", request.route.expect("a route")), request))
        .collect()
}

#[test]
fn every_request_is_as_github_describes_it() {
    let Some(prism) = Prism::start() else { return };
    let requests = every_request();
    assert_eq!(requests.len(), 10, "{:?}", requests.keys());
    for (route, request) in &requests {
        let judgement = prism.judge(request);
        assert!(judgement.is_clean(), "{route}: {judgement:?}: {request:?}");
    }
    every_state_is_one_of_githubs(&prism, &requests);
    what_is_wrong_is_found(&prism, &requests);
}

fn every_state_is_one_of_githubs(prism: &Prism, requests: &BTreeMap<String, Recorded>) {
    use portzero_core::pull_request::StatusState;
    let deployment = [
        DeploymentState::InProgress,
        DeploymentState::Success,
        DeploymentState::Failure,
        DeploymentState::Error,
    ];
    let commit = [
        StatusState::Pending,
        StatusState::Success,
        StatusState::Failure,
        StatusState::Error,
    ];
    let states = deployment.map(|state| ("DeploymentStatus", state.as_str())).into_iter();
    for (route, state) in states.chain(commit.map(|state| ("CommitStatus", state.as_str()))) {
        let judgement = prism.judge(&altered(&requests[route], "\"success\"", &format!("\"{state}\"")));
        assert!(judgement.is_clean(), "{route} {state}: {judgement:?}");
    }
}

/// Otherwise a clean judgement would say nothing.
fn what_is_wrong_is_found(prism: &Prism, requests: &BTreeMap<String, Recorded>) {
    for (route, from, to) in [
        ("CreateComment", "\"body\"", "\"bdy\""),
        ("EditComment", "\"body\"", "\"bdy\""),
        ("CreateDeployment", "\"ref\"", "\"reference\""),
        ("CreateDeployment", "[]", "\"none\""),
        ("DeploymentStatus", "\"success\"", "\"succeeded\""),
        ("CommitStatus", "\"success\"", "\"succeeded\""),
    ] {
        let judgement = prism.judge(&altered(&requests[route], from, to));
        assert_eq!(judgement.status, 422, "{route} with {to}: {judgement:?}");
    }
    let mut astray = requests["ListComments"].clone();
    astray.path = astray.path.replace("per_page=100", "per_page=all");
    assert!(!prism.judge(&astray).is_clean());
    astray.path = astray.path.replace("/issues/", "/isues/");
    assert_eq!(prism.judge(&astray).status, 404);
}

fn altered(request: &Recorded, from: &str, to: &str) -> Recorded {
    assert!(request.body.contains(from), "{request:?}");
    Recorded {
        body: request.body.replacen(from, to, 1),
        ..request.clone()
    }
}
