//! What happens in a rollout, as one line of text each.

use std::time::Duration;

use portzero_core::aws_model::api_error::{ApiError, ApiErrorKind};
use portzero_core::base::time::human;
use portzero_core::rollout::view::waiting::percent;
use portzero_core::rollout::{Generation, RolloutEvent};

/// The line of a happening.
pub fn line(event: &RolloutEvent) -> String {
    match event {
        RolloutEvent::Phase(phase) => format!("phase: {}", phase.as_str()),
        RolloutEvent::Task { .. } => task(event),
        RolloutEvent::Target { .. } => target(event),
        RolloutEvent::Stage {
            stage,
            production,
            revision,
        } => {
            // In the other stages it says nothing new.
            let is_news = matches!(stage.as_str(), "PRODUCTION_TRAFFIC_SHIFT" | "BAKE_TIME");
            let share = production.filter(|_| is_news).map(percent);
            let share = share.map(|share| format!(": {share} of the production traffic on {}", revision.short()));
            format!("stage {stage}{}", share.unwrap_or_default())
        }
        RolloutEvent::Desired { from, to } => format!("desired count {from} -> {to}"),
        RolloutEvent::Breaker {
            failures,
            threshold,
            rolls_back,
        } => breaker(*failures, *threshold, *rolls_back),
        RolloutEvent::OtherArchitecture { architecture } => {
            format!("ECS runs the new tasks on {architecture}, which is not what the task definition says")
        }
        RolloutEvent::EcsSays { message } => format!("ecs says: {message}"),
        RolloutEvent::RollingBack { to, reason, is_over } => {
            let why = reason.as_ref().map(|r| format!(" ({r})")).unwrap_or_default();
            let how = if *is_over { "has rolled back" } else { "is rolling back" };
            format!("ECS {how} to {}{why}", to.short())
        }
        RolloutEvent::Waiting { on } => {
            let parts: Vec<String> = on.iter().map(ToString::to_string).collect();
            format!("waiting on {}", parts.join("; "))
        }
        RolloutEvent::ToldByRevision => {
            "`startedBy` of no task names a deployment: tasks are told apart by their revision and their age".to_owned()
        }
        RolloutEvent::Unknown(value) => format!("portzero does not know the {value}: it counts as not done"),
        RolloutEvent::ReadOutage {
            error,
            misses,
            blind_for,
            left,
        } => blind(error.as_ref(), *misses, *blind_for, *left),
        RolloutEvent::SeesAgain { misses, blind_for } => {
            let word = if *misses == 1 { "miss" } else { "misses" };
            format!("AWS can be read again after {misses} {word} in {}", human(*blind_for))
        }
    }
}

fn task(event: &RolloutEvent) -> String {
    let RolloutEvent::Task {
        task,
        generation,
        task_definition,
        status,
        instance,
        reason,
    } = event
    else {
        return String::new();
    };
    let on = instance.as_ref().map(|i| format!(" on {i}")).unwrap_or_default();
    let why = reason.as_ref().map(|r| format!(": {r}")).unwrap_or_default();
    let id: String = task.short().chars().take(8).collect();
    format!(
        "{} task {id} ({}){on}: {}{why}",
        generation.as_str(),
        task_definition.short(),
        status.as_str()
    )
}

fn target(event: &RolloutEvent) -> String {
    let RolloutEvent::Target {
        place,
        generation,
        from,
        to,
        reason,
        description,
    } = event
    else {
        return String::new();
    };
    let from = from.as_ref().map(|s| format!("{} -> ", s.as_str())).unwrap_or_default();
    let to = match (to, generation) {
        (Some(state), _) => state.as_str().to_owned(),
        (None, Generation::Old) => "drained, no longer listed".to_owned(),
        (None, Generation::New) => "no longer listed".to_owned(),
    };
    let why = match (reason, description) {
        (Some(reason), Some(words)) => format!(" ({reason}: {words})"),
        (Some(word), None) | (None, Some(word)) => format!(" ({word})"),
        (None, None) => String::new(),
    };
    format!(
        "{} target {} in {}: {from}{to}{why}",
        generation.as_str(),
        place.1,
        place.0.name()
    )
}

fn breaker(failures: u32, threshold: Option<u32>, rolls_back: bool) -> String {
    let then = if rolls_back {
        "ECS rolls back"
    } else {
        "ECS stops and does not roll back"
    };
    match threshold {
        Some(threshold) if failures >= threshold => {
            format!("circuit breaker: {failures} failures, the threshold is {threshold}: {then}")
        }
        Some(threshold) => format!("circuit breaker: {failures} of {threshold} failures, then {then}"),
        None => format!("circuit breaker: {failures} failures, the threshold is not known; at it {then}"),
    }
}

/// What is told when reads begin to fail, and again and again while they do.
fn blind(error: Option<&ApiError>, misses: u32, blind_for: Duration, left: Duration) -> String {
    match error {
        Some(error) => format!("{} {}: {error}", trouble(error.kind), human(left)),
        None => format!(
            "AWS still cannot be read: {misses} misses in {}, giving up in {}",
            human(blind_for),
            human(left)
        ),
    }
}
/// What keeps AWS from being read, and how long that is borne: what does not pass by itself is not tried for long.
fn trouble(kind: ApiErrorKind) -> &'static str {
    match kind {
        ApiErrorKind::Credentials => "AWS no longer accepts the credentials, giving up in",
        ApiErrorKind::Denied => "AWS no longer lets the credentials read, giving up in",
        ApiErrorKind::ClockSkew => "AWS takes this machine's clock for wrong, giving up in",
        ApiErrorKind::Throttled => "AWS throttles the reads, trying on for up to",
        _ => "AWS cannot be read at the moment, trying on for up to",
    }
}
