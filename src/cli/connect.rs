//! Signing in to AWS, as every command that reads it does.

use portzero_core::aws_model::failed_call;
use portzero_core::base::finding::Finding;
use portzero_core::port::{Clock as _, Interrupts, RequestCounts};

use crate::adapters::aws::{Connection, ConnectionOptions, Environment, WebIdentity};
use crate::adapters::clock::SystemClock;
use crate::app::deploy;
use crate::app::ports::unless_interrupted;
use crate::cli::ci::identity;
use crate::cli::options::Identity;
use crate::cli::outputs::RunOutputs;
use crate::cli::requests::DeployRequests;
use crate::cli::stop::Stop;
use crate::cli::{run, streams};
use crate::config::Accounts;

/// The connection that the run's changes go through, signed in. A signal ends the wait for it.
pub async fn sign_in(
    requests: &DeployRequests,
    identity: &Identity,
    interrupts: &impl Interrupts,
    outputs: &mut RunOutputs<'_>,
) -> Result<Connection<SystemClock>, Stop> {
    let started_at = SystemClock.now();
    let web_identity = identity::web_identity(identity);
    match unless_interrupted(interrupts, connect(requests, web_identity)).await {
        Some(Ok(Ok(aws))) => Ok(aws),
        Some(Ok(Err(finding))) => Err(run::refuse_all(requests, &finding, outputs, SystemClock.now()).await),
        Some(Err(stop)) => Err(stop),
        None => {
            let span = (started_at, SystemClock.now());
            let runs = deploy::interrupted(&requests.requests, span.1);
            Err(run::interrupt(runs, &RequestCounts::default(), span, outputs).await)
        }
    }
}

/// Opens the connection and signs in. The inner error says why AWS does not let us in, or that the file is for other
/// accounts.
pub async fn connect(
    requests: &DeployRequests,
    web_identity: Option<WebIdentity>,
) -> Result<Result<Connection<SystemClock>, Box<Finding>>, Stop> {
    let options = ConnectionOptions {
        region: requests.region.clone(),
        web_identity,
        seed: seed(),
        environment: Environment::of(std::env::vars_os()),
        on_silence: Some(streams::tell),
        on_secret: streams::secrets(),
        ..ConnectionOptions::default()
    };
    let aws = Connection::open(options, SystemClock)
        .await
        .map_err(|finding| Stop::from(*finding))?;
    let signed_in = match aws.sign_in().await {
        Ok(()) => check_account(&aws, requests.accounts.as_ref()).await,
        refused => refused,
    };
    Ok(signed_in.map(|()| aws))
}

/// Before anything else is read: cluster and service of the same name may well be in the wrong account.
async fn check_account(aws: &Connection<SystemClock>, accounts: Option<&Accounts>) -> Result<(), Box<Finding>> {
    let Some(accounts) = accounts else { return Ok(()) };
    let account = aws.account().await.map_err(|error| {
        let finding = failed_call::finding(&error).at(accounts.location.clone());
        Box::new(finding.evidence("needed for", "the accounts that the file is for"))
    })?;
    accounts.check(&account)
}

/// For what is left to chance so that runs keep out of each other's way: another one in each process.
pub fn seed() -> u64 {
    getrandom::u64().unwrap_or_else(|_| std::process::id().into())
}
