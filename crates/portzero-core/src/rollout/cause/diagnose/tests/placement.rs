//! What ECS says of placement, among other causes.

use super::*;

const NO_CPU: &str = "(service web) was unable to place a task because no container instance met all of its requirements. \
                      The closest matching (container-instance home) has insufficient CPU units available.";

/// ECS had no place for a task, and then has placed one.
fn placed_after_all() -> Evidence {
    let mut evidence = seen(&[snapshot(Vec::new(), Vec::new())]);
    assert!(evidence.hear(&event(NO_CPU)));
    assert_eq!(code(&evidence), Some(Code::NoCapacity));
    let placed = snapshot(vec![task("new", OURS, 32_769)], Vec::new());
    collect(&mut evidence, at(2), &placed);
    evidence
}

fn code(evidence: &Evidence) -> Option<Code> {
    evidence.likely_cause(&scope()).map(|cause| cause.code)
}

#[test]
fn what_was_placed_after_all_is_no_cause_but_of_what_the_breaker_has_counted() {
    let mut evidence = placed_after_all();
    assert_eq!(code(&evidence), None);
    let count = |failures| BreakerCount {
        failures,
        threshold: Some(3),
        rolls_back: true,
    };
    evidence.count_breaker(count(0));
    assert_eq!(code(&evidence), None);
    evidence.count_breaker(count(3));
    assert_eq!(code(&evidence), Some(Code::NoCapacity));
}

#[test]
fn what_the_percentages_forbid_is_laid_to_no_instance() {
    let also = |words: &str| {
        let mut evidence = seen(&[snapshot(vec![crashed("a")], Vec::new())]);
        assert!(evidence.hear(&event(words)));
        let cause = evidence.likely_cause(&scope()).expect("a cause");
        assert_eq!(cause.code, Code::ContainerExit);
        text(&cause, "also").map(str::to_owned)
    };
    let blocked = "(service web) was unable to stop or start tasks during a deployment because of the service deployment \
                   configuration. Update the minimumHealthyPercent or maximumPercent value and try again.";
    let told = "the minimum and maximum percent of the service leave no room";
    assert_eq!(also(blocked).as_deref(), Some(told));
    let told = "no instance can take a new task: too little CPU is free";
    assert_eq!(also(NO_CPU).as_deref(), Some(told));
}
