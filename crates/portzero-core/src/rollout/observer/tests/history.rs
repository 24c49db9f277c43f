//! What a rollout leaves behind for the report: its phases, and the life of each target.

use super::events::{observer_after, with};
use super::*;

#[test]
fn each_phase_has_the_time_from_its_beginning_to_the_next() {
    use TargetState::{Draining, Healthy, Initial};
    let (old, new) = ("10.0.1.1", "10.0.0.1");
    let mut observer = observer_after(&with(&[(old, OLD, Healthy)]));
    let mut reported = Vec::new();
    for (seconds, snapshot) in [
        (2, with(&[(old, OLD, Healthy)])),
        (4, with(&[(old, OLD, Healthy), (new, OURS, Initial)])),
        (9, with(&[(old, OLD, Healthy), (new, OURS, Initial)])),
        (11, with(&[(old, OLD, Draining), (new, OURS, Healthy)])),
        (30, with(&[(new, OURS, Healthy)])),
        (32, with(&[(new, OURS, Healthy)])),
    ] {
        let step = see(&mut observer, seconds, snapshot);
        let phase = |event: &RolloutEvent| match event {
            RolloutEvent::Phase(phase) => Some((phase.as_str(), seconds)),
            _ => None,
        };
        reported.extend(step.events.iter().filter_map(phase));
    }
    let began = [("starting", 2), ("registering", 4), ("draining", 11), ("steady", 30)];
    assert_eq!(reported, began);
    let phases = observer.phases();
    let spans: Vec<_> = phases
        .iter()
        .map(|span| (span.phase.as_str(), span.started_at, span.duration.as_secs()))
        .collect();
    let wanted = [
        ("starting", 2, 2),
        ("registering", 4, 7),
        ("draining", 11, 19),
        ("steady", 30, 2),
    ];
    assert_eq!(spans, wanted.map(|(phase, from, lasted)| (phase, at(from), lasted)));
}

/// The targets' histories, a line each.
fn histories(observer: &Observer) -> Vec<String> {
    let line = |history: &&TargetHistory| {
        let states = history.states.iter().map(|(state, reason, seen)| {
            let reason = reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
            format!("{state}{reason} at {}s", seen.since(at(0)).as_secs())
        });
        let task = history.task.as_deref().unwrap_or("nobody");
        format!(
            "{} {task}: {}",
            history.generation.as_str(),
            states.collect::<Vec<_>>().join(", ")
        )
    };
    observer.targets().iter().map(line).collect()
}

#[test]
fn each_target_has_its_states_from_the_first_to_its_end() {
    use TargetState::{Draining, Healthy, Initial};
    let (old, new) = ("10.0.1.1", "10.0.0.1");
    let mut observer = observer_after(&with(&[(old, OLD, Healthy)]));
    assert_eq!(histories(&observer), ["old 10.0.1.1: healthy at 0s"]);
    let mut first = with(&[(old, OLD, Healthy), (new, OURS, Initial)]);
    let rows = first.targets.values_mut().flatten();
    rows.filter(|row| row.state == Initial)
        .for_each(|row| row.reason = Some("Elb.RegistrationInProgress".into()));
    see(&mut observer, 2, first);
    see(&mut observer, 4, with(&[(old, OLD, Draining), (new, OURS, Healthy)]));
    see(&mut observer, 9, with(&[(new, OURS, Healthy)]));
    assert_eq!(
        histories(&observer),
        [
            "new 10.0.0.1: initial (Elb.RegistrationInProgress) at 2s, healthy at 4s",
            "old 10.0.1.1: healthy at 0s, draining at 4s, gone at 9s"
        ]
    );
    // Who comes to an address that was left has not replaced anybody.
    let mut second = with(&[(new, OURS, Healthy), (old, OURS, Initial)]);
    second.tasks[1].arn = "task/next".into();
    see(&mut observer, 12, second);
    assert_eq!(
        histories(&observer)[1..],
        [
            "new next: initial at 12s",
            "old 10.0.1.1: healthy at 0s, draining at 4s, gone at 9s"
        ]
    );
}

#[test]
fn an_old_target_whose_address_was_taken_has_been_replaced_once() {
    use TargetState::{Healthy, Initial};
    let mut observer = observer_after(&with(&[("10.0.0.1", OLD, Healthy)]));
    for (seconds, state) in [(2, Initial), (4, Healthy)] {
        let mut taken = with(&[("10.0.0.1", OURS, state)]);
        taken.tasks[0].arn = "task/next".into();
        see(&mut observer, seconds, taken);
    }
    assert_eq!(
        histories(&observer),
        [
            "new next: initial at 2s, healthy at 4s",
            "old 10.0.0.1: healthy at 0s, replaced by a new target at 2s"
        ]
    );
}
