//! What is told beside the comment, where it is asked for: a GitHub deployment, and the commit's status.

use std::time::Duration;

use portzero::app::announce;
use portzero_core::port::{ApiErrorKind, PullRequests as _};
use portzero_core::pull_request::{
    CommitStatus, DeploymentState, DeploymentStatus, NewDeployment, Origin, StatusState, Trouble,
};
use serde_json::json;

use crate::support::github::{Fault, GitHub, Route};
use crate::support::{VirtualClock, run};

const MINUTE: Duration = Duration::from_secs(60);

pub fn new_deployment(run_id: u64) -> NewDeployment {
    NewDeployment {
        commit: "c0ffee".to_owned(),
        environment: "staging".to_owned(),
        description: "web, worker".to_owned(),
        payload: json!({"run_id": run_id, "attempt": 1}),
    }
}

pub fn status(state: DeploymentState) -> DeploymentStatus {
    DeploymentStatus {
        state,
        log_url: Some("https://github.com/acme/shop/actions/runs/1".to_owned()),
        environment_url: Some("https://staging.acme.test".to_owned()),
        description: "d".repeat(200),
    }
}

pub fn commit_status() -> CommitStatus {
    CommitStatus {
        state: StatusState::Success,
        context: "portzero/staging".to_owned(),
        target_url: None,
        description: "d".repeat(200),
    }
}

fn record(github: &GitHub) -> Result<u64, Trouble> {
    let clock = VirtualClock::default();
    run(async {
        let client = github.client(&clock);
        announce::deployment(&client, &&clock, &new_deployment(5), MINUTE).await
    })
}

#[test]
fn a_deployment_goes_from_in_progress_to_its_end() {
    let (github, clock) = (GitHub::start(), VirtualClock::default());
    let id = record(&github).expect("a deployment");
    run(async {
        let client = github.client(&clock);
        for state in [DeploymentState::InProgress, DeploymentState::Success] {
            let told = announce::deployment_status(&client, &&clock, id, &status(state), MINUTE).await;
            told.expect("a status");
        }
    });
    let deployment = &github.world().deployments[0];
    assert_eq!(
        (&deployment["auto_merge"], &deployment["required_contexts"]),
        (&json!(false), &json!([]))
    );
    assert_eq!(deployment["transient_environment"], json!(null));
    assert_eq!(deployment["statuses"][0]["state"], "in_progress");
    assert_eq!(deployment["statuses"][1]["state"], "success");
    assert_eq!(
        deployment["statuses"][1]["environment_url"],
        "https://staging.acme.test"
    );
    let description = deployment["statuses"][1]["description"]
        .as_str()
        .expect("a description");
    assert_eq!(description.chars().count(), 140);
}

#[test]
fn a_deployment_whose_answer_is_lost_is_recorded_once() {
    let github = GitHub::start();
    github.fail(Route::CreateDeployment, Fault::html(502).after());
    record(&github).expect("a deployment");
    assert_eq!(
        (github.count(Route::CreateDeployment), github.world().deployments.len()),
        (1, 1)
    );
}

#[test]
fn another_runs_deployment_of_the_same_commit_is_not_taken_for_our_own() {
    let github = GitHub::start();
    let earlier = record(&github).expect("a deployment");
    github.world().deployments[0]["payload"]["run_id"] = json!(4);
    github.fail(Route::CreateDeployment, Fault::html(502));
    assert_ne!(record(&github).expect("a deployment"), earlier);
    assert_eq!(github.world().deployments.len(), 2);
}

#[test]
fn a_deployment_that_failed_is_sent_again_after_a_look() {
    let github = GitHub::start();
    github.fail(Route::CreateDeployment, Fault::hang_up());
    record(&github).expect("a deployment");
    assert_eq!(
        (github.count(Route::ListDeployments), github.world().deployments.len()),
        (1, 1)
    );
}

#[test]
fn a_missing_permission_names_the_one_that_it_takes() {
    let github = GitHub::start();
    github.fail(Route::CreateDeployment, Fault::integration());
    let trouble = record(&github).expect_err("no permission");
    assert_eq!(github.count(Route::CreateDeployment), 1);
    let finding = trouble.finding(&Origin::default(), Default::default());
    assert_eq!(
        finding.hints,
        ["give the job `permissions: { contents: read, id-token: write, pull-requests: write, deployments: write }`"]
    );
    assert!(
        finding.evidence[0]
            .1
            .starts_with("github:repos/create-deployment on acme/shop@c0ffee: HTTP 403: Resource")
    );
}

#[test]
fn a_commits_status_is_short_and_set_again_where_it_was_lost() {
    let (github, clock) = (GitHub::start(), VirtualClock::default());
    github.fail(Route::CommitStatus, Fault::html(502));
    run(async {
        let client = github.client(&clock);
        let set = announce::commit_status(&client, &&clock, "c0ffee", &commit_status(), MINUTE).await;
        set.expect("a status");
        github.fail(Route::CommitStatus, Fault::integration());
        let refused = announce::commit_status(&client, &&clock, "c0ffee", &commit_status(), MINUTE).await;
        assert_eq!(refused.expect_err("no permission").error.kind, ApiErrorKind::Denied);
        // The port itself never repeats it.
        github.fail(Route::CommitStatus, Fault::html(502));
        client
            .set_commit_status("c0ffee", &commit_status())
            .await
            .expect_err("lost");
    });
    assert_eq!(github.count(Route::CommitStatus), 4);
    let statuses = github.world().statuses.clone();
    assert_eq!(statuses.len(), 1);
    assert_eq!(
        (&statuses[0]["context"], &statuses[0]["sha"]),
        (&json!("portzero/staging"), &json!("c0ffee"))
    );
}
