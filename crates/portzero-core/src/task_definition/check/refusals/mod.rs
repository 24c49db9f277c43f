//! What AWS refuses of a task definition, as one list. It is held against what will be registered, because an image, a host
//! port or a variable may be filled in before; places are those of the user's file.

mod containers;
mod fargate;
mod limits;
mod logging;
mod network;
mod references;
mod roles;
mod rule;

pub use rule::{Certainty, Rule};

use serde_json::Value;

use crate::base::finding::Finding;
use crate::task_definition::check::refusals::rule::{Breach, Task};
use crate::task_definition::document::{Document, at};

/// Every rule, in the order of the page.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    let all = [
        containers::RULES,
        roles::RULES,
        references::RULES,
        network::RULES,
        logging::RULES,
        fargate::RULES,
        limits::RULES,
    ];
    all.into_iter().flatten()
}

/// What AWS will refuse, or may refuse, of `rendered`.
pub(crate) fn check(document: &Document, rendered: &Value) -> Vec<Finding> {
    let task = Task::of(rendered);
    let findings = |rule: &'static Rule| {
        let breaches = (rule.find)(&task);
        breaches.into_iter().map(|breach| finding(rule, breach, document))
    };
    rules().flat_map(findings).collect()
}

fn finding(rule: &Rule, breach: Breach, document: &Document) -> Finding {
    let label = rule.certainty.label();
    let finding = Finding::new(rule.code, rule.severity, breach.summary).evidence(label, rule.words);
    let finding = match breach.hint {
        Some(hint) => finding.hint(hint),
        None => finding,
    };
    // What is missing stands nowhere: then the place is what lacks it.
    let place = (0..=breach.path.len()).rev();
    let place = place.map(|length| document.value_location(&breach.path[..length]));
    at(finding, place.flatten().next())
}
