//! What is told on GitHub while a run goes on: the comment of its pull request, and where that is asked for a deployment
//! and a commit's status. All of it goes beside the deployment and never holds it up.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use portzero_core::base::finding::{Code, Finding};
use portzero_core::base::time::Moment;
use portzero_core::port::{Clock, PullRequests};
use portzero_core::pull_request::{
    Channels, CommitStatus, DeploymentState, DeploymentStatus, Key, Mark, NewDeployment, Origin, RunStamp, StatusState,
    Trouble,
};
use portzero_core::rollout::Verdict;
use serde_json::json;
use tokio::task::JoinHandle;

use crate::app::announce::seek::Sought;
use crate::app::announce::{place, record, seek};

/// Finding the pull request of a push may take 17 s, because GitHub's index lags, and a comment some requests more.
const BUDGET: Duration = Duration::from_secs(45);
/// Somebody waits for the end of the run.
const BUDGET_AT_THE_END: Duration = Duration::from_secs(20);
/// A runner kills a cancelled step after 7.5 s; the report and the log must be out before that.
const BUDGET_WHEN_INTERRUPTED: Duration = Duration::from_secs(3);
const IN_PROGRESS: &str = "deploying";

/// How the run ended, as far as GitHub wants to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Planned,
    Refused,
    Run(Verdict),
}

impl End {
    pub fn of(verdict: Verdict) -> Self {
        if verdict == Verdict::Refused {
            Self::Refused
        } else {
            Self::Run(verdict)
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Refused => Verdict::Refused.as_str(),
            Self::Run(verdict) => verdict.as_str(),
        }
    }

    fn is_interrupted(self) -> bool {
        self == Self::Run(Verdict::Interrupted)
    }

    fn deployment(self) -> DeploymentState {
        match self {
            Self::Planned | Self::Run(Verdict::Succeeded | Verdict::NothingToVerify) => DeploymentState::Success,
            Self::Run(Verdict::CouldNotObserve | Verdict::Interrupted) => DeploymentState::Error,
            Self::Refused | Self::Run(_) => DeploymentState::Failure,
        }
    }

    fn status(self) -> StatusState {
        match self.deployment() {
            DeploymentState::Success => StatusState::Success,
            DeploymentState::Error => StatusState::Error,
            _ => StatusState::Failure,
        }
    }
}

/// What has come of it.
#[derive(Debug, Default)]
pub struct Told {
    pub comment_url: Option<String>,
    pub findings: Vec<Finding>,
}

#[derive(Debug)]
pub struct GithubChannel<H, C> {
    line: Rc<Line<H, C>>,
    begun: Option<JoinHandle<()>>,
    /// What the beginning has come to so far: it outlives a beginning that is given up.
    so_far: Rc<RefCell<Begun>>,
}

/// One run's line to GitHub.
#[derive(Debug)]
pub struct Line<H, C> {
    pub client: H,
    pub clock: C,
    pub origin: Origin,
    /// The page of the workflow run.
    pub run_url: Option<String>,
    pub key: Key,
    pub environment: String,
    /// Whether the pull request is told.
    pub comments: bool,
    pub channels: Channels,
}

/// What is there when the deployment has begun.
#[derive(Clone, Debug, Default)]
struct Begun {
    is_sought: bool,
    number: Option<u64>,
    deployment: Option<u64>,
    findings: Vec<Finding>,
}

impl<H: PullRequests + 'static, C: Clock + 'static> GithubChannel<H, C> {
    pub fn new(line: Line<H, C>) -> Self {
        Self {
            line: Rc::new(line),
            begun: None,
            so_far: Rc::default(),
        }
    }

    /// Says that the deployment has begun, beside it.
    pub fn begin(&mut self, page: String, description: String) {
        let line = Rc::clone(&self.line);
        let so_far = Rc::clone(&self.so_far);
        self.begun = Some(tokio::task::spawn_local(async move {
            line.begin(&page, &description, &so_far).await;
        }));
    }

    /// Says how it ended. `description` is one line; `address` is where the environment can be used.
    pub async fn end(&mut self, page: &str, end: End, description: &str, address: Option<String>) -> Told {
        let budget = if end.is_interrupted() {
            BUDGET_WHEN_INTERRUPTED
        } else {
            BUDGET_AT_THE_END
        };
        let deadline = self.line.clock.now() + budget;
        let mut begun = self.begun(deadline).await;
        let line = &self.line;
        if !begun.is_sought && line.comments {
            line.seek(&mut begun, deadline).await;
        }
        let mut told = Told::default();
        if let Some(number) = begun.number {
            told.comment_url = line.comment(number, page, end.as_str(), &mut begun, deadline).await;
        }
        if let Some(id) = begun.deployment {
            let status = line.deployment_status(end.deployment(), description, address);
            let done = record::deployment_status(&line.client, &line.clock, id, &status, line.rest(deadline)).await;
            line.note(&mut begun, done);
        }
        // Whoever asked for a status waits for one of every run.
        if line.channels.commit_status {
            line.commit_status(end.status(), description, &mut begun, deadline)
                .await;
        }
        // What has one cause is told once.
        begun.findings.dedup_by(|a, b| a.hints == b.hints);
        told.findings = begun.findings;
        told
    }

    /// What the beginning has come to; where it takes longer than there is time, it is given up.
    async fn begun(&mut self, deadline: Moment) -> Begun {
        let Some(mut task) = self.begun.take() else {
            return Begun::default();
        };
        let patience = self.line.rest(deadline) / 2;
        tokio::select! {
            _ = &mut task => {}
            () = self.line.clock.sleep(patience) => task.abort(),
        }
        self.so_far.take()
    }
}

impl<H: PullRequests, C: Clock> Line<H, C> {
    async fn begin(&self, page: &str, description: &str, so_far: &RefCell<Begun>) {
        let deadline = self.clock.now() + BUDGET;
        let mut begun = Begun::default();
        if self.comments {
            self.seek(&mut begun, deadline).await;
            so_far.replace(begun.clone());
            if let Some(number) = begun.number {
                self.comment(number, page, IN_PROGRESS, &mut begun, deadline).await;
                so_far.replace(begun.clone());
            }
        }
        if self.channels.deployment {
            self.deployment(description, &mut begun, so_far, deadline).await;
        }
        if self.channels.commit_status {
            self.commit_status(StatusState::Pending, description, &mut begun, deadline)
                .await;
        }
        so_far.replace(begun);
    }

    async fn seek(&self, begun: &mut Begun, deadline: Moment) {
        let sought = seek::pull_request(&self.client, &self.clock, &self.origin, self.rest(deadline)).await;
        begun.is_sought = true;
        match self.note(begun, sought) {
            Some(Sought::Found(number)) => begun.number = Some(number),
            Some(Sought::None { reason }) => {
                begun.findings.push(Finding::note(
                    Code::GitHub,
                    format!("no comment on a pull request: {reason}"),
                ));
            }
            None => {}
        }
    }

    async fn comment(
        &self,
        number: u64,
        page: &str,
        state: &str,
        begun: &mut Begun,
        deadline: Moment,
    ) -> Option<String> {
        let origin = &self.origin;
        let mark = Mark {
            key: self.key.clone(),
            run: RunStamp {
                run_id: origin.run_id,
                attempt: origin.attempt,
                sha: origin.sha.clone(),
                state: state.to_owned(),
            },
        };
        let placed = place::comment(&self.client, &self.clock, number, &mark, page, self.rest(deadline)).await;
        let placed = self.note(begun, placed)?;
        if placed.outcome == place::Outcome::Outdated {
            let summary = "the comment is left as it is: a newer run has spoken there";
            begun.findings.push(Finding::note(Code::GitHub, summary));
            return None;
        }
        Some(placed.url)
    }

    async fn deployment(&self, description: &str, begun: &mut Begun, so_far: &RefCell<Begun>, deadline: Moment) {
        let origin = &self.origin;
        let run = json!({ "run_id": origin.run_id, "attempt": origin.attempt, "key": self.key.as_str() });
        let new = NewDeployment {
            commit: origin.sha.clone(),
            environment: self.environment.clone(),
            description: description.to_owned(),
            payload: json!({ "portzero": run }),
        };
        let made = record::deployment(&self.client, &self.clock, &new, self.rest(deadline)).await;
        begun.deployment = self.note(begun, made);
        so_far.replace(begun.clone());
        let Some(id) = begun.deployment else { return };
        let status = self.deployment_status(DeploymentState::InProgress, description, None);
        let done = record::deployment_status(&self.client, &self.clock, id, &status, self.rest(deadline)).await;
        self.note(begun, done);
    }

    fn deployment_status(
        &self,
        state: DeploymentState,
        description: &str,
        address: Option<String>,
    ) -> DeploymentStatus {
        DeploymentStatus {
            state,
            log_url: self.run_url.clone(),
            environment_url: address,
            description: description.to_owned(),
        }
    }

    async fn commit_status(&self, state: StatusState, description: &str, begun: &mut Begun, deadline: Moment) {
        let status = CommitStatus {
            state,
            context: format!("portzero/{}", self.key),
            target_url: self.run_url.clone(),
            description: description.to_owned(),
        };
        let commit = &self.origin.sha;
        let done = record::commit_status(&self.client, &self.clock, commit, &status, self.rest(deadline)).await;
        self.note(begun, done);
    }

    fn rest(&self, deadline: Moment) -> Duration {
        deadline.since(self.clock.now())
    }

    /// The value, or its trouble among the findings.
    fn note<T>(&self, begun: &mut Begun, result: Result<T, Trouble>) -> Option<T> {
        result
            .map_err(|trouble| {
                let finding = trouble.finding(&self.origin, self.channels);
                if !begun.findings.contains(&finding) {
                    begun.findings.push(finding);
                }
            })
            .ok()
    }
}
