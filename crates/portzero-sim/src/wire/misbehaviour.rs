//! What the faults on the wire make of a call: refused, answered by somebody else, shown another account, late, cut off.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::action::Action;
use super::throttle::{Size, Throttle};
use super::{HttpRequest, HttpResponse};
use crate::model::refusal::Refusal;
use crate::scenario::Throttling;
use crate::scenario::fault::FaultSpec;
use crate::scenario::fault::kinds::{Fault, Moment};
use crate::timestamp::Timestamp;
use crate::wire::query::form::Form;
use crate::wire::query::xml;
use crate::world::World;

/// How an answer reaches the client, if it does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Delivery {
    /// All of it.
    #[default]
    Whole,
    /// The half of the body that was announced, and then the connection is closed.
    Half,
    /// The connection is closed without an answer.
    HangUp,
}

/// What the faults make of one call.
#[derive(Debug, Default)]
pub(super) struct Fate {
    /// The call has no effect, and this is the answer.
    pub instead: Option<HttpResponse>,
    /// What changes the account that a read shows.
    pub shown_by: Vec<Fault>,
    pub delivery: Delivery,
    pub late: Duration,
}

/// How wrong a clock may be: AWS accepts signatures of the last five minutes, and of the next.
const SKEW_MAX: Duration = Duration::from_secs(300);
/// How many registrations somebody else gets in the way of.
const CONCURRENT: u32 = 2;

/// What is remembered of the calls: who was struck how often, the buckets, the dice.
#[derive(Clone, Debug, Default)]
pub(super) struct Misbehaviour {
    struck: BTreeMap<usize, u32>,
    throttle: Throttle,
    dice: Option<fastrand::Rng>,
}

/// One call as the faults look at it.
pub(super) struct Call<'a> {
    pub action: &'a Action,
    pub request: &'a HttpRequest,
    pub form: Option<&'a Form>,
    pub request_id: &'a str,
}

impl Misbehaviour {
    /// How many calls a fault has struck.
    pub(super) fn struck(&self, fault: usize) -> u32 {
        self.struck.get(&fault).copied().unwrap_or(0)
    }

    /// What the faults in force make of a call. The same calls in the same order meet the same fate.
    pub(super) fn judge(&mut self, world: &World, call: &Call<'_>) -> Fate {
        let mut fate = Fate::default();
        let mut faults: Vec<(usize, FaultSpec)> = world.faults_on_the_wire().map(|(n, f)| (n, f.clone())).collect();
        faults.sort_by_key(|(_, fault)| rank(&fault.fault));
        let throttling = throttling(world, &faults);
        let behind = faults.iter().position(|(_, fault)| rank(&fault.fault) > THROTTLED);
        let (before, after) = faults.split_at(behind.unwrap_or(faults.len()));
        self.meet(world, before, call, &mut fate);
        let version = call.form.map_or("", Form::version);
        if fate.instead.is_none() && !self.throttle.admits(throttling, call.action, version, world.now()) {
            fate.instead = Some(throttled(call));
        }
        self.meet(world, after, call, &mut fate);
        fate
    }

    /// Lets faults see the call one after the other, until one of them answers it.
    fn meet(&mut self, world: &World, faults: &[(usize, FaultSpec)], call: &Call<'_>, fate: &mut Fate) {
        for (number, fault) in faults {
            if fate.instead.is_none() && self.strikes(world, *number, fault, call) {
                apply(world, fault, call, fate);
            }
        }
    }

    /// Whether the fault strikes this very call.
    fn strikes(&mut self, world: &World, number: usize, fault: &FaultSpec, call: &Call<'_>) -> bool {
        let Some(entry) = fault.entry() else { return false };
        let pattern = fault.calls.action.as_deref().unwrap_or(entry.action);
        let is_meant = match (&fault.fault, pattern) {
            (Fault::Denied { .. }, "iam:PassRole") => call.action.operation == "RegisterTaskDefinition",
            (Fault::AwsThrottling, _) => false,
            (shown, _) if shown.changes_what_is_shown() => call.action.is_read() && call.action.is_meant_by(pattern),
            _ => call.action.is_meant_by(pattern),
        };
        let by_default = (fault.fault == Fault::ConcurrentRegistration).then_some(CONCURRENT);
        let limit = fault.calls.count.or(by_default);
        if !is_meant || limit.is_some_and(|limit| self.struck(number) >= limit) {
            return false;
        }
        // A seed of its own: what the world draws must not depend on how often somebody looks.
        let dice = self
            .dice
            .get_or_insert_with(|| fastrand::Rng::with_seed(world.seed ^ 0x5EED_D1CE));
        if fault.calls.share.is_some_and(|share| dice.f64() >= share) {
            return false;
        }
        if self.passes(number, &fault.fault, world.now()) {
            return false;
        }
        *self.struck.entry(number).or_default() += 1;
        true
    }

    /// Whether the rate of a `throttled` has room for the call; without a rate it has none.
    fn passes(&mut self, number: usize, fault: &Fault, now: Timestamp) -> bool {
        let &Fault::Throttled {
            rate: Some(rate),
            burst,
        } = fault
        else {
            return false;
        };
        let size = Size {
            burst: burst.map_or(rate.ceil() as u64, u64::from).max(1),
            per_kilosecond: (rate * 1000.0).round() as u64,
        };
        self.throttle.takes(&[(format!("fault {number}"), size)], now)
    }
}

fn throttling(world: &World, faults: &[(usize, FaultSpec)]) -> Throttling {
    if faults.iter().any(|(_, fault)| fault.fault == Fault::AwsThrottling) {
        return Throttling::Aws;
    }
    world.throttling
}

fn apply(world: &World, fault: &FaultSpec, call: &Call<'_>, fate: &mut Fate) {
    match &fault.fault {
        Fault::Reset { when } => {
            fate.delivery = Delivery::HangUp;
            if *when == Moment::Before {
                fate.instead = Some(nothing(0));
            }
        }
        Fault::Truncated => fate.delivery = Delivery::Half,
        Fault::Slow { by } => fate.late = *by,
        shown if shown.changes_what_is_shown() => fate.shown_by.push(shown.clone()),
        _ => fate.instead = instead(world, fault, call),
    }
}

/// The front end throttles after it has looked at the signature, and before it asks the service.
const THROTTLED: u8 = 4;

/// In which order the faults get to see a call: what is nearest to the client first.
fn rank(fault: &Fault) -> u8 {
    match fault {
        Fault::Slow { .. } => 0,
        Fault::Reset { .. } | Fault::Truncated => 1,
        Fault::Html { .. } => 2,
        Fault::ClockSkew { .. } | Fault::ExpiredCredentials => 3,
        Fault::Throttled { .. } => THROTTLED,
        Fault::Denied { .. } => 5,
        _ => 6,
    }
}

/// The answer that takes the place of the service's.
fn instead(world: &World, fault: &FaultSpec, call: &Call<'_>) -> Option<HttpResponse> {
    Some(match &fault.fault {
        Fault::Throttled { .. } => throttled(call),
        Fault::Html { status } => page(*status),
        Fault::ServerError { status, has_body } => server_error(*status, *has_body, call),
        Fault::ExpiredCredentials => {
            let message = "The security token included in the request is expired";
            refuse(
                call,
                ["ExpiredTokenException", "ExpiredToken"],
                message,
                [400, 403],
                "message",
            )
        }
        Fault::ClockSkew { by, .. } if *by <= SKEW_MAX => return None,
        Fault::ClockSkew { .. } => {
            let message = mistimed(world.now(), fault.callers_time(world.now())?);
            refuse(
                call,
                ["InvalidSignatureException", "SignatureDoesNotMatch"],
                &message,
                [400, 403],
                "message",
            )
        }
        Fault::Denied { role } => return denied(world, fault, role.clone(), call),
        Fault::ConcurrentRegistration => {
            let message = "Too many concurrent attempts to create a new revision of the specified family.";
            refuse(call, ["ClientException"; 2], message, [400; 2], "message")
        }
        Fault::ServiceRole { message: words } => {
            let message = "Unable to assume role and validate the listeners configured on your load balancer. Please \
                           verify that the ECS service role being passed has the proper permissions.";
            let message = words.as_deref().unwrap_or(message);
            refuse(call, ["InvalidParameterException"; 2], message, [400; 2], "message")
        }
        _ => return None,
    })
}

fn throttled(call: &Call<'_>) -> HttpResponse {
    refuse(
        call,
        ["ThrottlingException", "Throttling"],
        "Rate exceeded",
        [400; 2],
        "message",
    )
}

/// A refusal in the protocol of the call: codes and statuses of JSON and Query, and how JSON spells the message's key.
fn refuse(call: &Call<'_>, codes: [&str; 2], message: &str, statuses: [u16; 2], key: &str) -> HttpResponse {
    let response = match call.form {
        Some(form) => {
            let refusal = Refusal {
                code: codes[1].to_owned(),
                message: message.to_owned(),
                status: statuses[1],
            };
            xml::refuse(form, &refusal, call.request_id)
        }
        None => HttpResponse {
            status: statuses[0],
            content_type: "application/x-amz-json-1.1",
            headers: Vec::new(),
            body: json!({"__type": codes[0], key: message}).to_string().into_bytes(),
            note: None,
        },
    };
    response.with_id(call.request_id)
}

fn nothing(status: u16) -> HttpResponse {
    HttpResponse {
        status,
        content_type: "text/plain",
        headers: Vec::new(),
        body: Vec::new(),
        note: None,
    }
}

fn server_error(status: u16, has_body: bool, call: &Call<'_>) -> HttpResponse {
    if !has_body {
        return nothing(status);
    }
    let (codes, words) = match status {
        // No AWS: an emulator that lacks the operation, as LocalStack and its kin answer.
        501 => (["InternalFailure"; 2], "The operation is not implemented."),
        503 => (
            ["ServiceUnavailable"; 2],
            "Service Unavailable. Please try again later.",
        ),
        _ => (
            ["ServerException", "InternalFailure"],
            "Service Unavailable. Please try again later.",
        ),
    };
    refuse(call, codes, words, [status; 2], "message")
}

/// The page of a proxy that did not reach AWS.
fn page(status: u16) -> HttpResponse {
    let words = match status {
        502 => "502 Bad Gateway".to_owned(),
        503 => "503 Service Temporarily Unavailable".to_owned(),
        504 => "504 Gateway Time-out".to_owned(),
        other => other.to_string(),
    };
    let body = format!(
        "<html>\r\n<head><title>{words}</title></head>\r\n<body>\r\n<center><h1>{words}</h1></center>\r\n\
         <hr><center>proxy</center>\r\n</body>\r\n</html>\r\n"
    );
    HttpResponse {
        content_type: "text/html",
        body: body.into_bytes(),
        ..nothing(status)
    }
}

/// What AWS says to a signature from a clock that is too far off.
fn mistimed(now: Timestamp, signed: Timestamp) -> String {
    let compact = |at: Timestamp| {
        let text = at.to_string();
        let seconds = text.split('.').next().unwrap_or_default();
        format!("{}Z", seconds.replace(['-', ':'], ""))
    };
    let limit = i64::try_from(SKEW_MAX.as_millis()).unwrap_or(i64::MAX);
    let shifted = |millis: i64| compact(Timestamp::from_millis(now.as_millis().saturating_add(millis)));
    let (signed_at, here) = (compact(signed), compact(now));
    if signed > now {
        let latest = shifted(limit);
        return format!("Signature not yet current: {signed_at} is still later than {latest} ({here} + 5 min.)");
    }
    let oldest = shifted(-limit);
    format!("Signature expired: {signed_at} is now earlier than {oldest} ({here} - 5 min.)")
}

/// IAM's sentence. It spells the message's key with a capital letter.
fn denied(world: &World, fault: &FaultSpec, role: Option<String>, call: &Call<'_>) -> Option<HttpResponse> {
    let account = &world.account.id;
    let by_default = || format!("arn:aws:sts::{account}:assumed-role/deployer/portzero");
    let user = role.unwrap_or_else(by_default);
    let body: Value = serde_json::from_slice(&call.request.body).unwrap_or_default();
    let (action, resource) = if fault.calls.action.as_deref() == Some("iam:PassRole") {
        let role = ["executionRoleArn", "taskRoleArn"]
            .iter()
            .find_map(|key| body.get(*key)?.as_str())?;
        ("iam:PassRole".to_owned(), Some(role.to_owned()))
    } else {
        (call.action.name(), resource(world, call.action, &body))
    };
    let on = resource.map(|arn| format!(" on resource: {arn}")).unwrap_or_default();
    let message = format!(
        "User: {user} is not authorized to perform: {action}{on} because no identity-based policy allows the {action} action"
    );
    Some(refuse(
        call,
        ["AccessDeniedException", "AccessDenied"],
        &message,
        [400, 403],
        "Message",
    ))
}

/// The resource that IAM names: the service where the action has it as a resource (aws-facts 7), `*` else in ECS, and
/// none in Elastic Load Balancing.
fn resource(world: &World, action: &Action, body: &Value) -> Option<String> {
    if action.service != "ecs" {
        return None;
    }
    let (region, account) = (&world.account.region, &world.account.id);
    let text = |key: &str| body.get(key).and_then(Value::as_str);
    let named = |name: &str| name.rsplit('/').next().unwrap_or(name).to_owned();
    let cluster = named(text("cluster").unwrap_or("default"));
    let first = body.get("services").and_then(|all| all.get(0)).and_then(Value::as_str);
    let kind = match action.operation.as_str() {
        "RegisterTaskDefinition" => format!("task-definition/{}:*", text("family").unwrap_or("*")),
        "DescribeClusters" => format!("cluster/{cluster}"),
        "DescribeContainerInstances" => format!("container-instance/{cluster}/*"),
        "DescribeTasks" | "StopTask" => format!("task/{cluster}/*"),
        operation if operation.contains("Service") => match text("service").or(first) {
            Some(service) => format!("service/{cluster}/{}", named(service)),
            None => return Some("*".into()),
        },
        _ => return Some("*".into()),
    };
    Some(format!("arn:aws:ecs:{region}:{account}:{kind}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_of_another_time_is_refused_in_the_words_of_aws() {
        let now = Timestamp::from_millis(1_767_268_800_000);
        let minutes = |n: i64| Timestamp::from_millis(now.as_millis() + n * 60_000);
        assert_eq!(
            mistimed(now, minutes(-6)),
            "Signature expired: 20260101T115400Z is now earlier than 20260101T115500Z (20260101T120000Z - 5 min.)"
        );
        assert_eq!(
            mistimed(now, minutes(10)),
            "Signature not yet current: 20260101T121000Z is still later than 20260101T120500Z (20260101T120000Z + 5 min.)"
        );
    }
}
