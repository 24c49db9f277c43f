//! STS: who is calling, and a role for the ID token of a workflow run. Nobody is turned away whose request has the right
//! form: there are no trust policies here, signatures of tokens are not checked, and credentials never end.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;

use super::form::{Form, unknown_operation, validation};
use super::xml;
use super::xml::Content;
use crate::model::refusal::Refusal;
use crate::timestamp::Timestamp;
use crate::wire::identity::{hex, uuid};
use crate::wire::{HttpResponse, Output, Reply};
use crate::world::World;

pub(crate) fn handle(world: &World, form: &Form, request_id: &str) -> HttpResponse {
    let reply = match form.action() {
        "GetCallerIdentity" => Ok(caller(world)),
        "AssumeRoleWithWebIdentity" => assume_role(world, form),
        _ => {
            return xml::refuse(form, &unknown_operation(form), request_id)
                .with_note(format!("not served: sts:{}", form.action()));
        }
    };
    xml::respond(form, reply, request_id)
}

fn caller(world: &World) -> Output<Content<'_>> {
    let account = &world.account().id;
    let content: Content<'_> = Box::new(move |xml| {
        xml.text("Arn", format_args!("arn:aws:iam::{account}:user/simulator"));
        xml.text("UserId", "AIDASIMULATORSIMULATO");
        xml.text("Account", account);
    });
    Output::from(content)
}

/// The credentials end by the clients' clocks and not by the world's: a client that finds them ended already, because the
/// simulated time lies in the past or goes faster, would refuse to use them.
fn assume_role<'a>(world: &'a World, form: &'a Form) -> Reply<Content<'a>> {
    let role = form.required("RoleArn")?;
    let session = session_name(form)?;
    let span = duration(form)?;
    let claims = claims(form.required("WebIdentityToken")?)?;
    let (account, name) = role_of(role)?;
    let given = format!("{role} {session} {}", world.clients_now());
    let content: Content<'a> = Box::new(move |xml| {
        let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let id = format!("AROA{}", digits(&format!("role {role}"), 17));
        xml.text("SubjectFromWebIdentityToken", text("sub"));
        xml.text("Audience", text("aud"));
        xml.element("AssumedRoleUser", |xml| {
            xml.text("AssumedRoleId", format_args!("{id}:{session}"));
            xml.text(
                "Arn",
                format_args!("arn:aws:sts::{account}:assumed-role/{name}/{session}"),
            );
        });
        xml.element("Credentials", |xml| {
            xml.text(
                "AccessKeyId",
                format_args!("ASIA{}", digits(&format!("key {given}"), 16)),
            );
            xml.text("SecretAccessKey", uuid(&format!("secret {given}")));
            xml.text("SessionToken", uuid(&format!("session {given}")));
            xml.text("Expiration", whole_seconds(world.clients_now() + span));
        });
        xml.text("Provider", text("iss").trim_start_matches("https://"));
    });
    Ok(Output::from(content))
}

/// Account and name of a role's ARN.
fn role_of(arn: &str) -> Result<(&str, &str), Refusal> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", partition, "iam", "", account, resource] if partition.starts_with("aws") => {
            let name = resource.strip_prefix("role/").and_then(|path| path.rsplit('/').next());
            name.filter(|name| !name.is_empty()).map(|name| (*account, name))
        }
        _ => None,
    }
    .ok_or_else(|| validation("Request ARN is invalid"))
}

fn session_name(form: &Form) -> Result<&str, Refusal> {
    let name = form.required("RoleSessionName")?;
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    if name.chars().all(is_allowed) && (2..=64).contains(&name.len()) {
        return Ok(name);
    }
    Err(constraint(
        name,
        "roleSessionName",
        r"Member must satisfy regular expression pattern: [\w+=,.@-]*",
    ))
}

/// An hour where none is asked for.
fn duration(form: &Form) -> Result<Duration, Refusal> {
    let Some(text) = form.text("DurationSeconds") else {
        return Ok(Duration::from_secs(3600));
    };
    match text.parse::<u64>() {
        Ok(seconds @ 900..=43_200) => Ok(Duration::from_secs(seconds)),
        Ok(seconds) => Err(constraint(
            text,
            "durationSeconds",
            if seconds < 900 {
                "Member must have value greater than or equal to 900"
            } else {
                "Member must have value less than or equal to 43200"
            },
        )),
        Err(_) => Err(Refusal::new("MalformedInput", "Invalid integer value")),
    }
}

fn constraint(value: &str, member: &str, constraint: &str) -> Refusal {
    validation(format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {constraint}"
    ))
}

/// The payload of the token, read and not verified.
fn claims(token: &str) -> Result<Value, Refusal> {
    let parts: Vec<&str> = token.split('.').collect();
    let payload = match parts.as_slice() {
        [header, payload, signature] if !header.is_empty() && !signature.is_empty() => decoded(payload),
        _ => None,
    };
    payload
        .and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok())
        .filter(Value::is_object)
        .ok_or_else(|| {
            Refusal::new(
                "InvalidIdentityToken",
                "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)",
            )
        })
}

/// Base64 of the kind for URLs, without padding.
fn decoded(text: &str) -> Option<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD.decode(text).ok()
}

/// So many letters and digits, as in the identifiers of IAM.
fn digits(name: &str, length: usize) -> String {
    let all = format!("{}{}", hex(name), hex(&format!("{name} again"))).to_uppercase();
    all.chars().take(length).collect()
}

/// `2026-01-01T13:00:00Z`: STS writes no fractions.
fn whole_seconds(at: Timestamp) -> String {
    let text = at.to_string();
    match text.split_once('.') {
        Some((seconds, _)) => format!("{seconds}Z"),
        None => text,
    }
}
