//! What was not seen, and polls that the time does not suffice for.

use super::*;

fn out_of_time(observer: &mut Observer, seconds: i64, service: Option<Service>) -> (Verdict, Finding) {
    let poll = Unfinished {
        begun: at(seconds - 8),
        service: service.map(Box::new),
    };
    match observer.step(at(seconds), Input::OutOfTime(poll)).next {
        Next::Done(mut outcome) => (outcome.verdict, outcome.findings.remove(0)),
        Next::PollAt(at) => panic!("it polls again at {at}"),
    }
}

#[test]
fn t21_settling_is_broken_by_what_was_seen_and_not_by_what_was_not() {
    let mut observer = observer();
    see(&mut observer, 0, healthy());
    for second in [2, 4, 6, 8] {
        assert_eq!(verdict(&miss(&mut observer, second, ApiErrorKind::Transient)), None);
    }
    // Ten seconds are the least that a target needs to turn unhealthy and healthy again.
    assert_eq!(verdict(&see(&mut observer, 10, healthy())), Some(Verdict::Succeeded));
}

#[test]
fn t21_what_was_seen_to_be_unhealthy_between_two_misses_settles_anew() {
    let mut observer = observer();
    see(&mut observer, 0, healthy());
    miss(&mut observer, 2, ApiErrorKind::Transient);
    let ill = shown(RolloutState::Completed, &[("10.0.0.1", TargetState::Unhealthy)]);
    see(&mut observer, 4, ill);
    miss(&mut observer, 6, ApiErrorKind::Transient);
    assert_eq!(verdict(&see(&mut observer, 10, healthy())), None);
    assert_eq!(verdict(&see(&mut observer, 19, healthy())), None);
    assert_eq!(verdict(&see(&mut observer, 20, healthy())), Some(Verdict::Succeeded));
}

#[test]
fn t19_what_was_seen_right_before_the_time_was_over_still_counts() {
    let mut observer = observer();
    see(&mut observer, 71, starting());
    let (verdict, finding) = out_of_time(&mut observer, 100, None);
    assert_eq!((verdict, finding.code), (Verdict::TimedOut, Code::TimedOut));
}

#[test]
fn t19_what_is_older_says_when_it_was_and_how_to_look_again() {
    let mut observer = observer();
    see(&mut observer, 70, starting());
    let counted = starting().service;
    let (verdict, finding) = out_of_time(&mut observer, 100, counted);
    assert_eq!(
        (verdict, finding.code),
        (Verdict::CouldNotObserve, Code::CouldNotObserve)
    );
    let evidence = format!("{:?}", finding.evidence);
    assert!(evidence.contains("not complete after 8s"), "{evidence}");
    assert!(
        evidence.contains("web:2 0 of 1 task") || evidence.contains("web:2 1 of 1 task"),
        "{evidence}"
    );
    assert!(evidence.contains("IN_PROGRESS; nothing else was read"), "{evidence}");
    let hints = format!("{:?}", finding.hints);
    assert!(
        hints.contains("portzero observe") && hints.contains("--timeout"),
        "{hints}"
    );
}

#[test]
fn t19_without_any_poll_nothing_is_claimed() {
    let (verdict, finding) = out_of_time(&mut observer(), 100, None);
    assert_eq!(verdict, Verdict::CouldNotObserve);
    let nothing = ("last seen".into(), "nothing since the update".into());
    assert!(finding.evidence.contains(&nothing), "{:?}", finding.evidence);
}

#[test]
fn t18_an_end_that_waits_for_a_read_is_not_asked_for_without_a_pause() {
    let mut observer = observer();
    see(&mut observer, 0, healthy());
    let partly = || Snapshot {
        is_partly_remembered: true,
        ..healthy()
    };
    let next = |step: Step| match step.next {
        Next::PollAt(at) => Some(at),
        Next::Done(_) => None,
    };
    assert_eq!(next(see(&mut observer, 10, partly())), Some(at(10)), "everything, now");
    assert!(observer.wants_everything());
    assert_eq!(
        next(see(&mut observer, 10, partly())),
        Some(at(12)),
        "it was asked for and has not come"
    );
    assert_eq!(next(see(&mut observer, 12, partly())), Some(at(14)));
    assert_eq!(verdict(&see(&mut observer, 14, healthy())), Some(Verdict::Succeeded));
}
