//! The port over GitHub's REST API, and its GraphQL API for the one question that REST does not answer: who am I?

use std::cell::RefCell;
use std::fmt;

use portzero_core::base::finding::{Code, Finding};
use portzero_core::base::time::Moment;
use portzero_core::port::{ApiError, ApiErrorKind, ApiResult, Clock, PullRequests};
use portzero_core::pull_request::{
    Comment, CommitStatus, DeploymentStatus, NewDeployment, PullRequest, RecordedDeployment,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::context::{Context, Repository};
use super::error::{transient, unreadable};
use super::transport::{Request, Transport};
use super::wire::{WireComment, WireDeployment, WirePullRequest, WireViewer};
use crate::adapters::github::error::Call;

const PER_PAGE: usize = 100;
/// GitHub closes a conversation to comments long before this many; it only keeps a loop from being endless.
const PAGES_MAX: usize = 100;

/// A token of an app's installation, such as that of a job. Its login ends in `[bot]` in every comment.
const INSTALLATION_TOKEN: &str = "ghs_";
const BOT: &str = "[bot]";

/// The repository of a run, with its token.
pub struct Client<C> {
    rest: Transport<C>,
    graphql: Transport<C>,
    /// The last part of the GraphQL address, with its slash.
    graphql_route: String,
    repository: Repository,
    is_installation: bool,
    login: RefCell<Option<String>>,
}

/// Without the token.
impl<C> fmt::Debug for Client<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("repository", &self.repository)
            .finish_non_exhaustive()
    }
}

impl<C: Clock + Clone> Client<C> {
    /// Sends nothing. Must be called where tokio runs.
    ///
    /// # Errors
    /// A warning, where the token cannot be sent, or must not be sent to that address.
    pub fn open(context: &Context, token: &str, clock: C) -> Result<Self, Finding> {
        let token = token.trim();
        let warning = |why: String| {
            Finding::warning(Code::GitHub, format!("nothing can be told on GitHub: {why}"))
                .state("the verdict does not depend on it")
        };
        if token.is_empty() {
            return Err(warning("there is no token".to_owned())
                .hint("pass `GITHUB_TOKEN: ${{ github.token }}` to the step, or `--github-token`"));
        }
        // The GraphQL API is not below the REST API on every server, so it is an address of its own.
        let (graphql_base, graphql_route) = match context.graphql_url.rsplit_once('/') {
            Some((base, last)) => (base, format!("/{last}")),
            None => return Err(warning(format!("`{}` is no address", context.graphql_url))),
        };
        Ok(Self {
            rest: Transport::open(&context.api_url, token, clock.clone()).map_err(warning)?,
            graphql: Transport::open(graphql_base, token, clock).map_err(warning)?,
            graphql_route,
            repository: context.repository.clone(),
            is_installation: token.starts_with(INSTALLATION_TOKEN),
            login: RefCell::new(None),
        })
    }

    /// A file of the repository as it is at a commit; `None` where there is none that the token may read.
    ///
    /// # Errors
    /// GitHub could not be asked, or does not give it.
    pub async fn file_at(&self, path: &str, commit: &str) -> ApiResult<Option<String>> {
        let call = Call::read("github:repos/get-content", self.on(format_args!("/{path}@{commit}")));
        let segments: Vec<String> = path.split('/').map(|name| encoded(name).replace('+', "%20")).collect();
        let route = self.route(format_args!("contents/{}?ref={}", segments.join("/"), encoded(commit)));
        match self.rest.send(&call, &Request::Raw(route)).await {
            Ok(answer) => Ok(Some(answer.body)),
            Err(error) if error.kind == ApiErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn route(&self, rest: impl fmt::Display) -> String {
        format!("/repos/{}/{}/{rest}", self.repository.owner, self.repository.name)
    }

    fn on(&self, what: impl fmt::Display) -> String {
        format!("{}{what}", self.repository)
    }

    async fn one<T: DeserializeOwned>(&self, call: &Call, request: &Request) -> ApiResult<T> {
        let answer = self.rest.send(call, request).await?;
        serde_json::from_str(&answer.body).map_err(|why| unreadable(call, &why))
    }

    /// All pages. `route` has a query already.
    async fn all<T: DeserializeOwned>(&self, call: &Call, route: &str) -> ApiResult<Vec<T>> {
        let mut all = Vec::new();
        for page in 1..=PAGES_MAX {
            let request = Request::Get(format!("{route}per_page={PER_PAGE}&page={page}"));
            let answer = self.rest.send(call, &request).await?;
            let items: Vec<T> = serde_json::from_str(&answer.body).map_err(|why| unreadable(call, &why))?;
            // Something in between may have dropped the links, and then a full page is a sign of more.
            let is_last = !answer.has_next && items.len() < PER_PAGE;
            all.extend(items);
            if is_last {
                return Ok(all);
            }
        }
        Err(ApiError {
            kind: ApiErrorKind::Refused,
            ..transient(call, format!("there are more than {} of them", PAGES_MAX * PER_PAGE))
        })
    }
}

impl<C: Clock + Clone> PullRequests for Client<C> {
    fn give_up_at(&self, deadline: Moment) {
        self.rest.give_up_at(deadline);
        self.graphql.give_up_at(deadline);
    }

    async fn pull_requests_of(&self, commit: &str) -> ApiResult<Vec<PullRequest>> {
        let call = Call::read(
            "github:repos/list-pull-requests-associated-with-commit",
            self.on(format_args!("@{commit}")),
        );
        let route = self.route(format_args!("commits/{}/pulls?", encoded(commit)));
        let wire: Vec<WirePullRequest> = self.all(&call, &route).await?;
        Ok(wire.into_iter().map(Into::into).collect())
    }

    async fn pull_request(&self, number: u64) -> ApiResult<PullRequest> {
        let call = Call::read("github:pulls/get", self.on(format_args!("#{number}")));
        let request = Request::Get(self.route(format_args!("pulls/{number}")));
        let wire: WirePullRequest = self.one(&call, &request).await?;
        Ok(wire.into())
    }

    async fn own_login(&self) -> ApiResult<String> {
        if let Some(login) = self.login.borrow().clone() {
            return Ok(login);
        }
        // A query changes nothing, so it may be repeated although it is posted.
        let call = Call::read("github:graphql viewer", self.on(""));
        let request = Request::Post(
            self.graphql_route.clone(),
            json!({"query": "query { viewer { login } }"}),
        );
        let answer = self.graphql.send(&call, &request).await?;
        let viewer: WireViewer = serde_json::from_str(&answer.body).map_err(|why| unreadable(&call, &why))?;
        let login = viewer.login().map_err(|words| ApiError {
            kind: ApiErrorKind::Refused,
            ..transient(&call, words)
        })?;
        let login = match self.is_installation && !login.ends_with(BOT) {
            true => format!("{login}{BOT}"),
            false => login,
        };
        self.login.replace(Some(login.clone()));
        Ok(login)
    }

    async fn comments(&self, number: u64) -> ApiResult<Vec<Comment>> {
        let call = Call::read("github:issues/list-comments", self.on(format_args!("#{number}")));
        let route = self.route(format_args!("issues/{number}/comments?"));
        let wire: Vec<WireComment> = self.all(&call, &route).await?;
        Ok(wire.into_iter().map(Into::into).collect())
    }

    async fn create_comment(&self, number: u64, body: &str) -> ApiResult<Comment> {
        let call = Call::creation("github:issues/create-comment", self.on(format_args!("#{number}")));
        let request = Request::Post(
            self.route(format_args!("issues/{number}/comments")),
            json!({"body": body}),
        );
        let wire: WireComment = self.one(&call, &request).await?;
        Ok(wire.into())
    }

    async fn edit_comment(&self, id: u64, body: &str) -> ApiResult<Comment> {
        let call = Call::read("github:issues/update-comment", self.on(format_args!(" comment {id}")));
        let request = Request::Patch(self.route(format_args!("issues/comments/{id}")), json!({"body": body}));
        let wire: WireComment = self.one(&call, &request).await?;
        Ok(wire.into())
    }

    async fn delete_comment(&self, id: u64) -> ApiResult<()> {
        let call = Call::read("github:issues/delete-comment", self.on(format_args!(" comment {id}")));
        let request = Request::Delete(self.route(format_args!("issues/comments/{id}")));
        self.rest.send(&call, &request).await.map(drop)
    }

    async fn deployments(&self, commit: &str, environment: &str) -> ApiResult<Vec<RecordedDeployment>> {
        let call = Call::read("github:repos/list-deployments", self.on(format_args!("@{commit}")));
        let query = format!("sha={}&environment={}&", encoded(commit), encoded(environment));
        let wire: Vec<WireDeployment> = self
            .all(&call, &self.route(format_args!("deployments?{query}")))
            .await?;
        Ok(wire.into_iter().map(Into::into).collect())
    }

    async fn create_deployment(&self, deployment: &NewDeployment) -> ApiResult<RecordedDeployment> {
        let call = Call::creation(
            "github:repos/create-deployment",
            self.on(format_args!("@{}", deployment.commit)),
        );
        // Without these two GitHub merges the default branch into the commit, and waits for every check of it, of which
        // this very run is one.
        let body = json!({
            "ref": deployment.commit,
            "auto_merge": false,
            "required_contexts": [],
            "environment": deployment.environment,
            "description": deployment.description,
            "payload": deployment.payload,
        });
        let wire: WireDeployment = self.one(&call, &Request::Post(self.route("deployments"), body)).await?;
        Ok(wire.into())
    }

    async fn set_deployment_status(&self, id: u64, status: &DeploymentStatus) -> ApiResult<()> {
        let call = Call::creation(
            "github:repos/create-deployment-status",
            self.on(format_args!(" deployment {id}")),
        );
        let mut body = json!({"state": status.state.as_str(), "description": status.description});
        put(&mut body, "log_url", status.log_url.as_deref());
        put(&mut body, "environment_url", status.environment_url.as_deref());
        let request = Request::Post(self.route(format_args!("deployments/{id}/statuses")), body);
        self.rest.send(&call, &request).await.map(drop)
    }

    async fn set_commit_status(&self, commit: &str, status: &CommitStatus) -> ApiResult<()> {
        let call = Call::creation("github:repos/create-commit-status", self.on(format_args!("@{commit}")));
        let mut body = json!({
            "state": status.state.as_str(),
            "context": status.context,
            "description": status.description,
        });
        put(&mut body, "target_url", status.target_url.as_deref());
        let request = Request::Post(self.route(format_args!("statuses/{}", encoded(commit))), body);
        self.rest.send(&call, &request).await.map(drop)
    }
}

fn put(body: &mut Value, key: &str, value: Option<&str>) {
    if let Some(value) = value {
        body[key] = json!(value);
    }
}

/// As one segment of a path or one value of a query.
fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
