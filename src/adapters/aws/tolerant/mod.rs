//! A second reading of ECS's answers that the SDK cannot read. Emulators of AWS write some members in another JSON type
//! than AWS's model has, a container's `cpu` as a number for example, and the SDK gives up the whole answer for that.
//!
//! The SDK stays the judge of types: it gets the answer again with ever more of its members, each as it came, in quotes,
//! without quotes, and in the end not at all. A member that a verdict rests on is never left out: without it the answer
//! stays unreadable, and the error names it. An answer that can be read at once is not touched.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::FinalizerInterceptorContextMut;
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::client::ser_de::{DeserializeResponse as _, SharedResponseDeserializer};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use serde_json::{Map, Value};

/// What success or failure rests on, which pages there are, and who is who. Absent it would read as zero, as none or as
/// another one.
const DECIDES: &str = "
    accessType advancedConfiguration alarmNames alarms alternateTargetGroupArn arn attachments bakeTimeInMinutes
    canaryBakeTimeInMinutes canaryConfiguration canaryPercent capacityProviderName capacityProviderStrategy clusterArn
    containerInstanceArn containerInstanceArns containerInstances containerName containerPort containers createdAt
    currentServiceRevisions deploymentCircuitBreaker deploymentConfiguration deploymentController deployments
    desiredCount desiredStatus details earlySuccessCriteria ec2InstanceId ecsManagedResources enable exitCode
    failedTasks failureCount failures gatewayArn gatewayConnections group healthCheckGracePeriodSeconds healthStatus
    healthyPercent hostPort id ingressPaths ipv6Address lastStatus lifecycleHookDetails lifecycleHooks lifecycleStage
    lifecycleStages linearConfiguration listener listenerRuleArn loadBalancer loadBalancerName loadBalancers
    maximumPercent minimumHealthyPercent name networkBindings networkInterfaces nextToken pendingCount port
    privateIpv4Address productionListenerRule requestedProductionTrafficWeight requestedTestTrafficWeight
    resetOnHealthyTask resolvedConfiguration resourceManagementType resources rollback rolloutState rolloutStateReason
    rule runningCount schedulingStrategy serviceArn serviceArns serviceDeploymentArn serviceDeployments serviceName
    serviceRevisionArn serviceRevisions services sourceServiceRevisionCleanup sourceServiceRevisions startedAt
    startedBy status stepBakeTimeInMinutes stepPercent stopCode stoppedAt stoppedReason stoppingAt strategy
    targetGroupArn targetGroups targetServiceRevision targetServiceRevisionArn targetType taskArn taskArns
    taskDefinition taskDefinitionArn taskDefinitionArns tasks testListenerRule testListenerRuleArn threshold
    thresholdConfiguration triggeredAlarmNames type updatedAt value vpcLatticeConfigurations";

/// What all readings of one answer may come to. The largest answers have a few hundred kilobytes, and a wrong member is
/// found in some twenty readings.
const BYTES_MAX: usize = 64 << 20;

/// A member's way through the answer: `tasks[].containers[].cpu`.
type Place = String;

/// How a member is shown to the SDK. One without a form is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    AsItCame,
    Quoted,
    Unquoted,
}

/// Why the answer stays unreadable. It never holds a value.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable(String);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Unreadable {}

/// Reads again what could not be read.
#[derive(Debug)]
pub(super) struct TolerantReading;

impl Intercept for TolerantReading {
    fn name(&self) -> &'static str {
        "TolerantReading"
    }

    fn modify_before_attempt_completion(
        &self,
        context: &mut FinalizerInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let is_unread = context.output_or_error().is_some_and(|read| read.is_err());
        let response = context.response().filter(|r| is_unread && r.status().is_success());
        let Some((response, deserializer)) = response.zip(config.load::<SharedResponseDeserializer>()) else {
            return Ok(());
        };
        let body = response.body().bytes().unwrap_or_default();
        let Ok(answer @ Value::Object(_)) = serde_json::from_slice(body) else {
            return Ok(());
        };
        let read = |answer: &Value| {
            let response = with_body(response, answer);
            deserializer
                .deserialize_nonstreaming_with_config(&response, config)
                .ok()
        };
        let again = read_again(&answer, BYTES_MAX / body.len(), read);
        if let Some(result) = context.output_or_error_mut() {
            *result = again.map_err(|unreadable| OrchestratorError::response(unreadable.into()));
        }
        Ok(())
    }
}

fn with_body(response: &HttpResponse, answer: &Value) -> HttpResponse {
    let mut copy = HttpResponse::new(response.status(), SdkBody::from(answer.to_string()));
    for (name, value) in response.headers() {
        copy.headers_mut().append(name.to_owned(), value.to_owned());
    }
    copy
}

/// What `read` makes of the answer, with as many of its members as it can read.
fn read_again<T>(answer: &Value, readings: usize, read: impl Fn(&Value) -> Option<T>) -> Result<T, Unreadable> {
    let mut places = BTreeSet::new();
    note_places(answer, "", &mut places);
    // What holds others comes before what it holds.
    let places: Vec<Place> = places.into_iter().collect();
    let mut rereading = Rereading {
        answer,
        readings,
        read,
        forms: BTreeMap::new(),
    };
    // Where not even nothing can be read, no member is to blame.
    if rereading.read()?.is_some() {
        rereading.admit(&places)?;
    }
    rereading
        .read()?
        .ok_or_else(|| Unreadable("the answer cannot be read".into()))
}

/// An answer that is read again and again, each time with other members.
struct Rereading<'a, R> {
    answer: &'a Value,
    /// How often it may still be read.
    readings: usize,
    read: R,
    forms: BTreeMap<Place, Form>,
}

impl<T, R: Fn(&Value) -> Option<T>> Rereading<'_, R> {
    /// Takes in these members, halving them until each that cannot be read stands alone.
    fn admit(&mut self, places: &[Place]) -> Result<(), Unreadable> {
        if places.is_empty() || self.can_read(places, Form::AsItCame)? {
            return Ok(());
        }
        let [place] = places else {
            let (before, after) = places.split_at(places.len() / 2);
            self.admit(before)?;
            return self.admit(after);
        };
        let member = place.rsplit('.').next().unwrap_or_default();
        let is_admitted = self.can_read(places, Form::Quoted)? || self.can_read(places, Form::Unquoted)?;
        if !is_admitted && DECIDES.split_whitespace().any(|name| name == member) {
            return Err(Unreadable(format!(
                "the answer cannot be read: `{place}` has another JSON type than in AWS's model"
            )));
        }
        Ok(())
    }

    /// Whether these can be read in that form, beside what is taken in already. If not, they stay out.
    fn can_read(&mut self, places: &[Place], form: Form) -> Result<bool, Unreadable> {
        self.forms.extend(places.iter().map(|place| (place.clone(), form)));
        let is_read = self.read()?.is_some();
        if !is_read {
            for place in places {
                self.forms.remove(place);
            }
        }
        Ok(is_read)
    }

    fn read(&mut self) -> Result<Option<T>, Unreadable> {
        let too_many = || Unreadable("the answer cannot be read: too much of it is not as in AWS's model".into());
        self.readings = self.readings.checked_sub(1).ok_or_else(too_many)?;
        Ok((self.read)(&in_forms(self.answer, "", &self.forms)))
    }
}

fn note_places(value: &Value, within: &str, places: &mut BTreeSet<Place>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let place = place_of(within, name);
                note_places(value, &place, places);
                places.insert(place);
            }
        }
        Value::Array(items) => {
            let within = format!("{within}[]");
            items.iter().for_each(|item| note_places(item, &within, places));
        }
        _ => {}
    }
}

fn place_of(within: &str, name: &str) -> Place {
    let dot = if within.is_empty() { "" } else { "." };
    format!("{within}{dot}{name}")
}

/// The answer with those of its members that have a form.
fn in_forms(value: &Value, within: &str, forms: &BTreeMap<Place, Form>) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.iter().filter_map(|(name, value)| {
                let place = place_of(within, name);
                let form = *forms.get(&place)?;
                Some((name.clone(), in_form(in_forms(value, &place, forms), form)))
            });
            Value::Object(Map::from_iter(kept))
        }
        Value::Array(items) => {
            let within = format!("{within}[]");
            items.iter().map(|item| in_forms(item, &within, forms)).collect()
        }
        other => other.clone(),
    }
}

fn in_form(value: Value, form: Form) -> Value {
    match (value, form) {
        (value, Form::AsItCame) => value,
        (Value::Array(items), _) => items.into_iter().map(|item| in_form(item, form)).collect(),
        (value @ (Value::Number(_) | Value::Bool(_)), Form::Quoted) => Value::String(value.to_string()),
        (Value::String(text), Form::Unquoted) => serde_json::from_str(&text).unwrap_or(Value::String(text)),
        (value, _) => value,
    }
}

#[cfg(test)]
mod tests;
