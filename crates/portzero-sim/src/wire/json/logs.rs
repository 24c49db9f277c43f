//! CloudWatch Logs over AWS JSON 1.1: what containers have printed.

use serde_json::{Value, json};

use super::members::Members;
use crate::model::refusal::Refusal;
use crate::wire::json::ecs::{read, refuse, respond};
use crate::wire::{HttpResponse, Reply, identity};
use crate::world::World;
use crate::world::log_output::Printed;

pub(crate) const TARGET_PREFIX: &str = "Logs_20140328.";

/// The most that one call answers, and what it answers unless told otherwise. Source: the API reference of GetLogEvents.
const EVENTS_MAX: usize = 10_000;

pub(crate) fn handle(world: &mut World, operation: &str, body: &[u8]) -> HttpResponse {
    if operation != "GetLogEvents" {
        let words = format!("the simulator does not serve logs:{operation}");
        return refuse(&Refusal::new("UnknownOperationException", words))
            .with_note(format!("not served: logs:{operation}"));
    }
    match read(body).and_then(|document| events(world, &document)) {
        Ok(answer) => {
            let mut response = respond(200, &answer.document);
            response.note = answer.note;
            response
        }
        Err(refusal) => refuse(&refusal),
    }
}

fn events(world: &World, body: &Value) -> Reply<Value> {
    let members = Members::of(body)?;
    let group = match members.text("logGroupName")?.or(members.text("logGroupIdentifier")?) {
        Some(name) => name.rsplit(":log-group:").next().unwrap_or(name).trim_end_matches(":*"),
        None => {
            return Err(Refusal::invalid_parameter(
                "logGroupName or logGroupIdentifier is required",
            ));
        }
    };
    let stream = members
        .text("logStreamName")?
        .ok_or_else(|| Refusal::invalid_parameter("logStreamName is required"))?;
    let limit = match members.integer("limit")? {
        None => EVENTS_MAX,
        Some(limit) => usize::try_from(limit)
            .ok()
            .filter(|limit| (1..=EVENTS_MAX).contains(limit))
            .ok_or_else(|| Refusal::invalid_parameter(format!("limit must be between 1 and {EVENTS_MAX}")))?,
    };
    let from = members.integer("startTime")?.unwrap_or(i64::MIN);
    let to = members.integer("endTime")?.unwrap_or(i64::MAX);
    let mut printed = world.printed(group, stream)?;
    printed.retain(|one| (from..to).contains(&one.at.as_millis()));
    // The newest ones unless the beginning is asked for; either way the oldest first.
    if members.boolean("startFromHead")? == Some(true) {
        printed.truncate(limit);
    } else {
        printed.drain(..printed.len().saturating_sub(limit));
    }
    let token = |way: char| format!("{way}/{}{}/s", identity::hex(group), identity::hex(stream));
    let document = json!({
        "events": printed.iter().map(event).collect::<Vec<_>>(),
        "nextForwardToken": token('f'),
        "nextBackwardToken": token('b'),
    });
    let note = members.text("nextToken")?;
    Ok(crate::wire::Output {
        document,
        note: note.map(|_| "logs:GetLogEvents: not modelled, ignored: nextToken".to_owned()),
    })
}

fn event(printed: &Printed) -> Value {
    let at = printed.at.as_millis();
    json!({"timestamp": at, "message": printed.line, "ingestionTime": at})
}
