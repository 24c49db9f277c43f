//! A GitHub deployment with its statuses, and the status of a commit.

use std::future::Future;
use std::time::Duration;

use portzero_core::base::time::Moment;
use portzero_core::port::{ApiResult, Clock, PullRequests};
use portzero_core::pull_request::{CommitStatus, DeploymentStatus, Doing, NewDeployment, Trouble, short};

use crate::app::announce::tries::{BEFORE_ANOTHER_POST, is_ambiguous, pause, trouble};

/// Records a deployment, within the budget, and comes back with its id. Where its fate is not known, GitHub's list is read
/// before it is sent again: the payload tells it from those of other runs.
///
/// # Errors
/// Where it is not recorded, or nobody knows.
pub async fn deployment<H: PullRequests, C: Clock>(
    github_channel: &H,
    clock: &C,
    deployment: &NewDeployment,
    budget: Duration,
) -> Result<u64, Trouble> {
    let deadline = clock.now() + budget;
    github_channel.give_up_at(deadline);
    let deployment = NewDeployment {
        description: short(&deployment.description),
        ..deployment.clone()
    };
    create(github_channel, clock, &deployment, deadline)
        .await
        .map_err(trouble(Doing::Deploying))
}

async fn create<H: PullRequests, C: Clock>(
    github_channel: &H,
    clock: &C,
    deployment: &NewDeployment,
    deadline: Moment,
) -> ApiResult<u64> {
    let mut waits = BEFORE_ANOTHER_POST.iter();
    loop {
        let error = match github_channel.create_deployment(deployment).await {
            Ok(recorded) => return Ok(recorded.id),
            Err(error) => error,
        };
        let Some(wait) = waits.next().filter(|_| is_ambiguous(&error)) else {
            return Err(error);
        };
        if !pause(clock, *wait, deadline).await {
            return Err(error);
        }
        let recorded = github_channel
            .deployments(&deployment.commit, &deployment.environment)
            .await?;
        if let Some(ours) = recorded.iter().find(|other| other.payload == deployment.payload) {
            return Ok(ours.id);
        }
    }
}

/// Says how the deployment stands, within the budget.
///
/// # Errors
/// Where GitHub did not take it.
pub async fn deployment_status<H: PullRequests, C: Clock>(
    github_channel: &H,
    clock: &C,
    id: u64,
    status: &DeploymentStatus,
    budget: Duration,
) -> Result<(), Trouble> {
    let deadline = clock.now() + budget;
    github_channel.give_up_at(deadline);
    let status = DeploymentStatus {
        description: short(&status.description),
        ..status.clone()
    };
    repeated(clock, deadline, || github_channel.set_deployment_status(id, &status))
        .await
        .map_err(trouble(Doing::Deploying))
}

/// Sets a status on a commit, within the budget.
///
/// # Errors
/// Where GitHub did not take it.
pub async fn commit_status<H: PullRequests, C: Clock>(
    github_channel: &H,
    clock: &C,
    commit: &str,
    status: &CommitStatus,
    budget: Duration,
) -> Result<(), Trouble> {
    let deadline = clock.now() + budget;
    github_channel.give_up_at(deadline);
    let status = CommitStatus {
        description: short(&status.description),
        ..status.clone()
    };
    repeated(clock, deadline, || github_channel.set_commit_status(commit, &status))
        .await
        .map_err(trouble(Doing::SettingStatus))
}

/// Of statuses the newest counts, so the same one twice says what it says once.
async fn repeated<C: Clock, F>(clock: &C, deadline: Moment, send: impl Fn() -> F) -> ApiResult<()>
where
    F: Future<Output = ApiResult<()>>,
{
    let mut waits = BEFORE_ANOTHER_POST.iter();
    loop {
        let error = match send().await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        let Some(wait) = waits.next().filter(|_| is_ambiguous(&error)) else {
            return Err(error);
        };
        if !pause(clock, *wait, deadline).await {
            return Err(error);
        }
    }
}
