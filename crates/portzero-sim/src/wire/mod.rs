//! The simulator's wire: AWS's own protocols over a [`World`], so that the AWS CLI, boto3 and the SDKs work on it
//! unchanged. [`Wire::handle`] is pure and synchronous; [`server`] puts it behind one loopback port.
//!
//! | service | protocol | recognised by | operations |
//! |---|---|---|---|
//! | ECS | AWS JSON 1.1 | `X-Amz-Target: AmazonEC2ContainerServiceV20141113.…` | [`ecs_operations`] |
//! | ELBv2 | Query/XML | `Version=2015-12-01` | CreateTargetGroup, ModifyTargetGroup, DeleteTargetGroup, DescribeTargetGroups, DescribeTargetGroupAttributes, ModifyTargetGroupAttributes, RegisterTargets, DeregisterTargets, DescribeTargetHealth, CreateLoadBalancer, DeleteLoadBalancer, DescribeLoadBalancers, DescribeLoadBalancerAttributes, ModifyLoadBalancerAttributes, CreateListener, ModifyListener, DeleteListener, DescribeListeners, CreateRule, ModifyRule, SetRulePriorities, DeleteRule, DescribeRules, AddTags, RemoveTags, DescribeTags |
//! | classic ELB | Query/XML | `Version=2012-06-01` | DescribeLoadBalancers, DescribeLoadBalancerAttributes, DescribeInstanceHealth |
//! | Application Auto Scaling | AWS JSON 1.1 | `X-Amz-Target: AnyScaleFrontendService.…` | RegisterScalableTarget, DescribeScalableTargets, DeregisterScalableTarget |
//! | CloudWatch Logs | AWS JSON 1.1 | `X-Amz-Target: Logs_20140328.…` | GetLogEvents |
//! | STS | Query/XML | `Version=2011-06-15` | GetCallerIdentity, AssumeRoleWithWebIdentity |
//!
//! What the faults on the wire do to calls and answers stands in `misbehaviour`, the routes below `/_portzero/` in
//! `control`.
//!
//! Everything else is refused as AWS refuses an operation that it does not know, with a [`HttpResponse::note`] that
//! says what was asked. Signatures are not checked: any credentials will do,
//! and so will any ID token that has the form of one.

mod action;
mod control;
pub(crate) mod identity;
pub(crate) mod json;
mod misbehaviour;
mod page;
pub(crate) mod query;
#[cfg(feature = "server")]
pub mod server;
mod throttle;
mod time_source;

use std::collections::BTreeMap;
use std::time::Duration;

use action::Action;
use misbehaviour::{Call, Misbehaviour};
use serde_json::json;

use super::world::World;
use crate::model::refusal::Refusal;
use crate::scenario::fault::kinds::Fault;

pub(crate) use action::means_anything;
pub use action::served;
pub use misbehaviour::Delivery;
pub use time_source::TimeSource;

/// The names of the ECS operations that are served.
pub fn ecs_operations() -> impl Iterator<Item = &'static str> {
    json::ecs::OPERATIONS.iter().map(|(name, _)| *name)
}

/// What is read of an HTTP request.
#[derive(Clone, Debug, Default)]
pub struct HttpRequest {
    /// GET, POST or another.
    pub method: String,
    /// With the query string, where there is one.
    pub path: String,
    /// Names in any case. Only `x-amz-target` and `content-type` matter.
    pub headers: Vec<(String, String)>,
    /// The body, decoded from any transfer encoding.
    pub body: Vec<u8>,
}

impl HttpRequest {
    /// The value of a header, whatever the case of its name.
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
    /// The HTTP status. 0 where the connection is closed without an answer.
    pub status: u16,
    /// `Content-Type`.
    pub content_type: &'static str,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// One line for the operator: an operation or a parameter that is not modelled. The client does not see it.
    pub note: Option<String>,
}

/// What comes of one request: an answer, and how it gets to the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// What would be answered.
    pub response: HttpResponse,
    /// How much of it reaches the client.
    pub delivery: Delivery,
    /// How much later than at once, in virtual time.
    pub late: Duration,
}

/// One endpoint. It remembers of its clients how many requests there were, which makes the request ids, how many for
/// which operation, and what the faults have done to them.
#[derive(Clone, Debug, Default)]
pub struct Wire {
    requests: u64,
    asked: BTreeMap<String, u64>,
    misbehaviour: Misbehaviour,
}

impl Wire {
    /// An endpoint that no client has used yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Answers one request, whatever becomes of the answer. The same requests in the same order to the same world get the
    /// same bytes.
    pub fn handle(&mut self, world: &mut World, request: &HttpRequest) -> HttpResponse {
        self.exchange(world, &|_: &mut World| {}, request).response
    }

    /// The same, with what the faults on the wire do to the answer on its way, and with the control routes: `time_source` is
    /// who moves the world's time.
    pub fn exchange(&mut self, world: &mut World, time_source: &dyn TimeSource, request: &HttpRequest) -> Exchange {
        if control::is_meant(request) {
            return Exchange::plain(control::handle(self, world, time_source, request));
        }
        self.requests += 1;
        let request_id = identity::uuid(&format!("request {}", self.requests));
        let form = request
            .header("x-amz-target")
            .is_none()
            .then(|| query::form::Form::read(request))
            .flatten();
        let Some(action) = Action::of(request, form.as_ref()) else {
            return Exchange::plain(not_an_aws_request(request).with_id(&request_id));
        };
        self.count(&action);
        let call = Call {
            action: &action,
            request,
            form: form.as_ref(),
            request_id: &request_id,
        };
        let fate = self.misbehaviour.judge(world, &call);
        let serve = || serve(world, &fate.shown_by, request, form.as_ref(), &request_id).with_id(&request_id);
        Exchange {
            response: fate.instead.unwrap_or_else(serve),
            delivery: fate.delivery,
            late: fate.late,
        }
    }

    /// Made-up names are counted together: a client that sends them must not fill the memory.
    fn count(&mut self, action: &Action) {
        let is_known = served()
            .iter()
            .any(|(service, name)| *service == action.service && *name == action.operation);
        let name = if is_known {
            action.name()
        } else {
            format!("{}:(not served)", action.service)
        };
        *self.asked.entry(name).or_default() += 1;
    }
}

impl Exchange {
    fn plain(response: HttpResponse) -> Self {
        Self {
            response,
            delivery: Delivery::Whole,
            late: Duration::ZERO,
        }
    }
}

/// What an operation answers. `T` is its protocol's document.
pub(crate) struct Output<T> {
    document: T,
    note: Option<String>,
}

impl<T> From<T> for Output<T> {
    fn from(document: T) -> Self {
        Self { document, note: None }
    }
}

pub(crate) type Reply<T> = Result<Output<T>, Refusal>;

/// Answers with another account where faults show another one. The world itself stays as it is.
fn serve(
    world: &mut World,
    shown_by: &[Fault],
    request: &HttpRequest,
    form: Option<&query::form::Form>,
    request_id: &str,
) -> HttpResponse {
    let Some(seen) = world.seen_through(shown_by) else {
        let response = route(world, request, form, request_id);
        world.remember();
        return response;
    };
    let real = std::mem::replace(&mut world.account, seen);
    let response = route(world, request, form, request_id);
    world.account = real;
    response
}

fn route(world: &mut World, request: &HttpRequest, form: Option<&query::form::Form>, request_id: &str) -> HttpResponse {
    match (request.header("x-amz-target"), form) {
        (Some(target), _) => {
            let scaling = target.strip_prefix(json::autoscaling::TARGET_PREFIX);
            match (scaling, target.strip_prefix(json::logs::TARGET_PREFIX)) {
                (Some(operation), _) => json::autoscaling::handle(world, operation, &request.body),
                (_, Some(operation)) => json::logs::handle(world, operation, &request.body),
                _ => json::ecs::handle(world, target, &request.body),
            }
        }
        (None, Some(form)) => query(world, form, request_id),
        (None, None) => not_an_aws_request(request),
    }
}

/// Both load balancing services and STS speak the Query protocol and share a port here, so the version tells them apart.
fn query(world: &mut World, form: &query::form::Form, request_id: &str) -> HttpResponse {
    match form.version() {
        query::form::STS_VERSION => query::sts::handle(world, form, request_id),
        query::form::ELB_VERSION => query::elb::handle(world, form, request_id),
        query::form::ELB_CLASSIC_VERSION => query::elb_classic::handle(world, form, request_id),
        _ => query::xml::refuse(form, &query::form::unknown_operation(form), request_id).with_note(format!(
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
        body: json!({"__type": "UnknownOperationException", "message": format!("the simulator does not serve this request: {asked}")})
            .to_string()
            .into_bytes(),
        note: Some(format!("not served: {asked}")),
    }
}

impl HttpResponse {
    fn with_id(mut self, request_id: &str) -> Self {
        self.headers.push(("x-amzn-RequestId", request_id.to_owned()));
        self
    }

    fn with_note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }
}
