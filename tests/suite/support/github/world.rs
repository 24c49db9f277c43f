//! What the stand-in remembers, and how its routes change it.

use std::collections::{HashMap, VecDeque};

use serde_json::{Value, json};

use super::http::{Answer, Fault, Recorded, Response};
use super::{LOGIN, REPOSITORY};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Route {
    PullsOfCommit,
    Pull,
    ListComments,
    CreateComment,
    EditComment,
    DeleteComment,
    ListDeployments,
    CreateDeployment,
    DeploymentStatus,
    CommitStatus,
    GraphQl,
    Contents,
}

impl Route {
    /// A server of GitHub Enterprise has the same below `/api/v3`, and GraphQL beside it.
    pub fn of(method: &str, path: &str) -> Option<Self> {
        let path = path.split('?').next()?;
        if method == "POST" && (path == "/graphql" || path == "/api/graphql") {
            return Some(Self::GraphQl);
        }
        let path = path.strip_prefix("/api/v3").unwrap_or(path);
        let rest = path.strip_prefix(&format!("/repos/{REPOSITORY}/"))?;
        let parts: Vec<&str> = rest.split('/').collect();
        Some(match (method, parts.as_slice()) {
            ("GET", ["commits", _, "pulls"]) => Self::PullsOfCommit,
            ("GET", ["pulls", _]) => Self::Pull,
            ("GET", ["issues", _, "comments"]) => Self::ListComments,
            ("POST", ["issues", _, "comments"]) => Self::CreateComment,
            ("PATCH", ["issues", "comments", _]) => Self::EditComment,
            ("DELETE", ["issues", "comments", _]) => Self::DeleteComment,
            ("GET", ["contents", ..]) => Self::Contents,
            ("GET", ["deployments"]) => Self::ListDeployments,
            ("POST", ["deployments"]) => Self::CreateDeployment,
            ("POST", ["deployments", _, "statuses"]) => Self::DeploymentStatus,
            ("POST", ["statuses", _]) => Self::CommitStatus,
            _ => return None,
        })
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredComment {
    pub id: u64,
    pub number: u64,
    pub author: String,
    pub body: String,
}

#[derive(Clone, Debug)]
pub struct Pull {
    pub number: u64,
    pub base: String,
    pub merged_at: Option<&'static str>,
    /// Of an open one it is a trial merge.
    pub merge_commit: String,
}

impl Pull {
    pub fn merged(number: u64, base: &str, merge_commit: &str) -> Self {
        Self {
            number,
            base: base.to_owned(),
            merged_at: Some("2026-07-02T18:11:41Z"),
            merge_commit: merge_commit.to_owned(),
        }
    }

    pub fn open(number: u64, base: &str, trial_merge: &str) -> Self {
        Self {
            merged_at: None,
            ..Self::merged(number, base, trial_merge)
        }
    }

    fn json(&self) -> Value {
        json!({
            "id": 9_000 + self.number, "number": self.number, "title": "<b>@everybody</b>",
            "state": if self.merged_at.is_some() { "closed" } else { "open" },
            "merged_at": self.merged_at, "merge_commit_sha": self.merge_commit,
            "base": {"ref": self.base, "sha": "b0"}, "head": {"ref": "work", "sha": "h0"},
        })
    }
}

type Hook = Box<dyn FnOnce(&mut World) + Send>;

pub struct World {
    url: String,
    /// What the viewer query answers, and who writes the comments.
    pub login: String,
    pub requests: Vec<Recorded>,
    /// So many lists of comments are as empty as before the first one: a replica that lags.
    pub stale_lists: usize,
    /// So many answers about a commit are empty: an index that lags.
    pub index_lag: usize,
    /// The deployments, with their statuses under `statuses`.
    pub deployments: Vec<Value>,
    /// The statuses of commits, as they were posted, with the commit under `sha`.
    pub statuses: Vec<Value>,
    /// The files of a commit: (commit, path), text.
    pub files: HashMap<(String, String), String>,
    comments: Vec<StoredComment>,
    pulls: HashMap<u64, Pull>,
    by_commit: HashMap<String, Vec<u64>>,
    faults: HashMap<Route, VecDeque<Fault>>,
    hooks: HashMap<Route, VecDeque<Hook>>,
    next_id: u64,
}

impl World {
    pub fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            login: LOGIN.to_owned(),
            requests: Vec::new(),
            stale_lists: 0,
            index_lag: 0,
            deployments: Vec::new(),
            statuses: Vec::new(),
            files: HashMap::new(),
            comments: Vec::new(),
            pulls: HashMap::new(),
            by_commit: HashMap::new(),
            faults: HashMap::new(),
            hooks: HashMap::new(),
            next_id: 100,
        }
    }

    pub fn comment(&mut self, number: u64, author: &str, body: &str) -> u64 {
        let id = self.new_id();
        self.comments.push(StoredComment {
            id,
            number,
            author: author.to_owned(),
            body: body.to_owned(),
        });
        id
    }

    pub fn comments_of(&self, number: u64) -> Vec<StoredComment> {
        self.comments
            .iter()
            .filter(|comment| comment.number == number)
            .cloned()
            .collect()
    }

    pub fn delete_comment(&mut self, id: u64) -> bool {
        let before = self.comments.len();
        self.comments.retain(|comment| comment.id != id);
        self.comments.len() < before
    }

    pub fn associate(&mut self, commit: &str, pulls: &[Pull]) {
        for pull in pulls {
            self.pulls.insert(pull.number, pull.clone());
        }
        let numbers = pulls.iter().map(|pull| pull.number).collect();
        self.by_commit.insert(commit.to_owned(), numbers);
    }

    pub fn fail(&mut self, route: Route, fault: Fault) {
        self.faults.entry(route).or_default().push_back(fault);
    }

    pub fn before(&mut self, route: Route, hook: impl FnOnce(&mut World) + Send + 'static) {
        self.hooks.entry(route).or_default().push_back(Box::new(hook));
    }

    pub(super) fn answer(&mut self, route: Route, request: &Recorded) -> Answer {
        if let Some(hook) = self.hooks.get_mut(&route).and_then(VecDeque::pop_front) {
            hook(self);
        }
        let Some(fault) = self.faults.get_mut(&route).and_then(VecDeque::pop_front) else {
            return Answer::Response(self.carry_out(route, request));
        };
        if fault.takes_effect {
            self.carry_out(route, request);
        }
        match fault.response {
            Some(response) => Answer::Response(response),
            None if fault.is_silent => Answer::Silence,
            None => Answer::HangUp,
        }
    }

    fn carry_out(&mut self, route: Route, request: &Recorded) -> Response {
        let path = request.path.split('?').next().unwrap_or_default();
        let parts: Vec<&str> = path.split("/shop/").last().unwrap_or_default().split('/').collect();
        let id = parts
            .iter()
            .rev()
            .find_map(|part| part.parse::<u64>().ok())
            .unwrap_or_default();
        let commit = parts.get(1).copied().unwrap_or_default();
        let sent = request.json();
        match route {
            Route::PullsOfCommit => self.pulls_of(commit, request),
            Route::Pull => self
                .pulls
                .get(&id)
                .map_or_else(not_found, |pull| Response::json(200, &pull.json())),
            Route::ListComments => self.list_comments(id, request),
            Route::CreateComment => self.create_comment(id, &sent),
            Route::EditComment => self.edit_comment(id, &sent),
            Route::DeleteComment => match self.delete_comment(id) {
                true => Response {
                    status: 204,
                    headers: Vec::new(),
                    body: String::new(),
                },
                false => not_found(),
            },
            Route::ListDeployments => Response::json(200, &Value::Array(self.deployments.clone())),
            Route::CreateDeployment => self.create_deployment(&sent),
            Route::DeploymentStatus => self.deployment_status(id, sent),
            Route::CommitStatus => self.commit_status(commit, sent),
            Route::Contents => self.contents(&parts[1..].join("/"), request),
            Route::GraphQl => Response::json(200, &json!({"data": {"viewer": {"login": self.login}}})),
        }
    }

    /// Only what is asked for as it is comes as it is.
    fn contents(&self, path: &str, request: &Recorded) -> Response {
        let commit = request.path.split_once("?ref=").map_or("", |(_, commit)| commit);
        let file = self.files.get(&(commit.to_owned(), path.to_owned()));
        match file {
            Some(text) if request.header("accept") == ["application/vnd.github.raw+json"] => Response {
                status: 200,
                headers: vec![(
                    "content-type",
                    "application/vnd.github.raw+json; charset=utf-8".to_owned(),
                )],
                body: text.clone(),
            },
            Some(_) => Response::json(200, &json!({"type": "file", "encoding": "base64", "content": ""})),
            None => not_found(),
        }
    }

    fn pulls_of(&mut self, commit: &str, request: &Recorded) -> Response {
        if self.index_lag > 0 {
            self.index_lag -= 1;
            return Response::json(200, &json!([]));
        }
        let numbers = self.by_commit.get(commit).cloned().unwrap_or_default();
        let pulls: Vec<Value> = numbers.iter().map(|number| self.pulls[number].json()).collect();
        self.page(&pulls, request)
    }

    fn list_comments(&mut self, number: u64, request: &Recorded) -> Response {
        if self.stale_lists > 0 {
            self.stale_lists -= 1;
            return Response::json(200, &json!([]));
        }
        let all: Vec<Value> = self
            .comments_of(number)
            .iter()
            .map(|comment| self.comment_json(comment))
            .collect();
        self.page(&all, request)
    }

    fn create_comment(&mut self, number: u64, sent: &Value) -> Response {
        let Some(body) = sent["body"].as_str() else {
            return Response::message(422, "Validation Failed");
        };
        if body.chars().count() > 65_536 {
            return too_long();
        }
        let author = self.login.clone();
        self.comment(number, &author, body);
        let created = self.comments.last().expect("it was just put there");
        Response::json(201, &self.comment_json(created))
    }

    fn edit_comment(&mut self, id: u64, sent: &Value) -> Response {
        let login = self.login.clone();
        let Some(comment) = self.comments.iter_mut().find(|comment| comment.id == id) else {
            return not_found();
        };
        assert_eq!(comment.author, login, "a comment of somebody else is edited");
        comment.body = sent["body"].as_str().expect("a body").to_owned();
        let edited = comment.clone();
        Response::json(200, &self.comment_json(&edited))
    }

    fn comment_json(&self, comment: &StoredComment) -> Value {
        json!({
            "id": comment.id, "body": comment.body, "node_id": "x", "user": {"login": comment.author, "id": 1},
            "html_url": format!("https://github.com/{REPOSITORY}/pull/{}#issuecomment-{}", comment.number, comment.id),
        })
    }

    /// GitHub's own check: without these two it would merge something, or wait for this very run.
    fn create_deployment(&mut self, sent: &Value) -> Response {
        if sent["auto_merge"] != json!(false) || sent["required_contexts"] != json!([]) {
            return Response::message(409, "Conflict: Commit status checks failed for the ref.");
        }
        let mut deployment = sent.clone();
        deployment["id"] = json!(self.new_id());
        deployment["statuses"] = json!([]);
        self.deployments.insert(0, deployment.clone());
        Response::json(201, &deployment)
    }

    fn deployment_status(&mut self, id: u64, sent: Value) -> Response {
        let Some(deployment) = self.deployments.iter_mut().find(|d| d["id"] == json!(id)) else {
            return not_found();
        };
        if let Some(statuses) = deployment["statuses"].as_array_mut() {
            statuses.push(sent.clone());
        }
        Response::json(201, &sent)
    }

    fn commit_status(&mut self, commit: &str, mut sent: Value) -> Response {
        if sent["description"]
            .as_str()
            .is_some_and(|text| text.chars().count() > 140)
        {
            return Response::message(422, "Validation Failed");
        }
        sent["sha"] = json!(commit);
        self.statuses.push(sent.clone());
        Response::json(201, &sent)
    }

    fn page(&self, all: &[Value], request: &Recorded) -> Response {
        let query = |name: &str, default: usize| {
            let query = request.path.split_once('?').map_or("", |(_, query)| query);
            let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs
                .filter(|(n, _)| *n == name)
                .find_map(|(_, value)| value.parse().ok())
                .unwrap_or(default)
        };
        let (size, page) = (query("per_page", 30).min(100), query("page", 1));
        let items: Vec<Value> = all.iter().skip((page - 1) * size).take(size).cloned().collect();
        let mut response = Response::json(200, &Value::Array(items));
        if page * size < all.len() {
            let next = format!("<{}/somewhere?page={}>; rel=\"next\"", self.url, page + 1);
            response.headers.push(("link", next));
        }
        response
    }

    fn new_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }
}

fn not_found() -> Response {
    Response::message(404, "Not Found")
}

fn too_long() -> Response {
    let errors = json!([{"resource": "IssueComment", "code": "custom", "field": "body", "message": "body is too long (maximum is 65536 characters)"}]);
    Response::json(422, &json!({"message": "Validation Failed", "errors": errors}))
}
