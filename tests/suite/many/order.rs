//! `depends_on`: who goes at once, who waits, and who is left alone.

use portzero::app::deploy::ServiceRun;
use portzero_core::event::EventKind;
use portzero_core::rollout::Verdict;
use portzero_testkit::InProcessAws;
use serde_json::json;

use super::world::{Ears, deploy, request, spec, text, world};
use crate::support::run;

fn is_updated(kind: &EventKind) -> bool {
    matches!(kind, EventKind::Updated { .. })
}

fn is_ended(kind: &EventKind) -> bool {
    matches!(kind, EventKind::Ended(_))
}

/// Deploys `(service, depends on)` in that order.
fn deployed(services: &[(&str, &[&str])], faults: serde_json::Value) -> (Vec<ServiceRun>, Ears) {
    let specs: Vec<_> = services.iter().map(|(name, _)| spec(name)).collect();
    let aws = InProcessAws::new(world(&text(&specs, &json!({ "faults": faults }))));
    let requests = specs
        .iter()
        .zip(services)
        .map(|(spec, (_, needs))| request(spec, needs));
    let ears = Ears::default();
    let runs = run(deploy(&aws, &aws.clock(), requests.collect(), ears.clone()));
    (runs, ears)
}

fn verdicts(runs: &[ServiceRun]) -> Vec<(&str, Verdict)> {
    runs.iter()
        .map(|run| (run.request.service.as_str(), run.verdict()))
        .collect()
}

#[test]
fn services_without_an_order_go_at_once_and_the_others_when_theirs_is_done() {
    let (runs, ears) = deployed(
        &[("web", &["api"]), ("api", &["db"]), ("db", &[]), ("mail", &[])],
        json!([]),
    );
    assert!(
        runs.iter().all(|run| run.verdict() == Verdict::Succeeded),
        "{:?}",
        verdicts(&runs)
    );
    let updated = |name| ears.at(name, is_updated).expect("updated");
    let ended = |name| ears.at(name, is_ended).expect("ended");
    assert_eq!(updated("db"), updated("mail"));
    assert_eq!(updated("api"), ended("db"));
    assert_eq!(updated("web"), ended("api"));
    assert!(updated("mail") < ended("db"));
}

#[test]
fn a_failed_service_stops_those_that_depend_on_it_and_nobody_else() {
    let faults = json!([{"fault": "crash-loop", "service": "db"}]);
    let services: [(&str, &[&str]); 4] = [("web", &["api"]), ("api", &["db"]), ("db", &[]), ("mail", &[])];
    let (runs, ears) = deployed(&services, faults);
    assert_eq!(
        verdicts(&runs),
        [
            ("web", Verdict::Refused),
            ("api", Verdict::Refused),
            ("db", Verdict::Failed),
            ("mail", Verdict::Succeeded)
        ]
    );
    assert!(runs[0].is_left() && runs[1].is_left() && !runs[2].is_left());
    assert_eq!(
        runs[1].findings()[0].summary,
        "`api` was not touched: it depends on `db`, which failed"
    );
    assert_eq!(
        runs[0].findings()[0].summary,
        "`web` was not touched: it depends on `api`, which was not touched either"
    );
    assert_eq!(ears.at("api", is_updated), None);
    // What was left alone is no cause: the run failed because of `db`, wherever that stands in the file.
    assert_eq!(portzero::app::deploy::overall(&runs), Verdict::Failed);
}

#[test]
fn a_plan_that_waited_is_made_anew_and_given_up_where_somebody_else_was_quicker() {
    let faults = json!([{"fault": "other-deployment", "service": "web", "since": "start", "at": "5s"}]);
    let (runs, ears) = deployed(&[("db", &[]), ("web", &["db"])], faults);
    assert_eq!(verdicts(&runs), [("db", Verdict::Succeeded), ("web", Verdict::Refused)]);
    let finding = &runs[1].findings()[0];
    assert_eq!(finding.code.as_str(), "superseded", "{finding:?}");
    assert_eq!(ears.at("web", is_updated), None);
}

#[test]
fn what_is_no_part_of_the_run_is_not_waited_for() {
    let (runs, _) = deployed(&[("web", &["db"])], json!([]));
    assert_eq!(verdicts(&runs), [("web", Verdict::Succeeded)]);
}
