//! The simulator's wire: AWS's own protocols over a [`World`], so that the AWS CLI, boto3 and the SDKs work on it
//! unchanged. [`Wire::handle`] is pure and synchronous; [`server`] puts it behind one loopback port.
//!
//! | service | protocol | recognised by | operations |
//! |---|---|---|---|
//! | ECS | AWS JSON 1.1 | `X-Amz-Target: AmazonEC2ContainerServiceV20141113.…` | [`ecs_operations`] |
//! | ELBv2 | Query/XML | `Version=2015-12-01` | DescribeTargetGroups, DescribeTargetGroupAttributes, DescribeTargetHealth, DescribeLoadBalancers, DescribeListeners, DescribeRules, DescribeTags |
//! | STS | Query/XML | `Version=2011-06-15` | GetCallerIdentity, AssumeRoleWithWebIdentity |
//!
//! Everything else is refused as AWS refuses an operation that it does not know, with a [`HttpResponse::note`] that
//! says what was asked. Signatures are not checked: any credentials will do,
//! and so will any ID token that has the form of one.

mod ecs_json;
mod elb_query;
mod form;
mod identity;
mod members;
mod page;
pub mod server;
mod sts;
mod xml;

use serde_json::json;

use super::state::Refusal;
use super::world::World;

/// The names of the ECS operations that are served.
pub fn ecs_operations() -> impl Iterator<Item = &'static str> {
    ecs_json::OPERATIONS.iter().map(|(name, _)| *name)
}

/// What is read of an HTTP request.
#[derive(Clone, Debug, Default)]
pub struct HttpRequest {
    pub method: String,
    /// With the query string, where there is one.
    pub path: String,
    /// Names in any case. Only `x-amz-target` and `content-type` matter.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl HttpRequest {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// The answer, and what the person who runs the simulator should hear about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpResponse {
    pub status: u16,
    pub content_type: &'static str,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    /// One line for the operator: an operation or a parameter that is not modelled. The client does not see it.
    pub note: Option<String>,
}

/// One endpoint. It remembers nothing of its clients but how many requests there were, which makes the request ids.
#[derive(Clone, Debug, Default)]
pub struct Wire {
    requests: u64,
}

impl Wire {
    pub fn new() -> Self {
        Self::default()
    }

    /// Answers one request. The same requests in the same order to the same world get the same bytes.
    pub fn handle(&mut self, world: &mut World, request: &HttpRequest) -> HttpResponse {
        self.requests += 1;
        let request_id = identity::uuid(&format!("request {}", self.requests));
        let mut response = route(world, request, &request_id);
        response.headers.push(("x-amzn-RequestId", request_id));
        response
    }
}

/// What an operation answers. `T` is its protocol's document.
struct Answer<T> {
    document: T,
    note: Option<String>,
}

impl<T> From<T> for Answer<T> {
    fn from(document: T) -> Self {
        Self { document, note: None }
    }
}

type Reply<T> = Result<Answer<T>, Refusal>;

fn route(world: &mut World, request: &HttpRequest, request_id: &str) -> HttpResponse {
    if let Some(target) = request.header("x-amz-target") {
        return ecs_json::handle(world, target, &request.body);
    }
    match form::Form::read(request) {
        Some(form) => query(world, &form, request_id),
        None => not_an_aws_request(request),
    }
}

/// Both load balancing services and STS speak the Query protocol and share a port here, so the version tells them apart.
fn query(world: &World, form: &form::Form, request_id: &str) -> HttpResponse {
    match form.version() {
        sts::VERSION => sts::handle(world, form, request_id),
        elb_query::VERSION => elb_query::handle(world, form, request_id),
        _ => xml::refuse(form, &form::unknown_operation(form), request_id).with_note(format!(
            "not served: {} of version {}",
            form.action(),
            form.version()
        )),
    }
}

fn not_an_aws_request(request: &HttpRequest) -> HttpResponse {
    let asked = format!("{} {}", request.method, request.path);
    HttpResponse {
        status: 404,
        content_type: "application/json",
        headers: Vec::new(),
        body: json!({"__type": "UnknownOperationException", "message": format!("not an ECS, ELBv2 or STS request: {asked}")})
            .to_string()
            .into_bytes(),
        note: Some(format!("not served: {asked}")),
    }
}

impl HttpResponse {
    fn with_note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }
}
