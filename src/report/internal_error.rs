//! The end of a run that met a state it was not made for: a panic, told like any other end.

use portzero_core::base::finding::{Code, Finding};
use serde_json::{Value, json};

use crate::report::outputs::Outputs;
use crate::report::plan;

const VERDICT: &str = "internal-error";
/// Beginnings of what the language itself says. What stands behind them may be a value, and is not shown.
const SAID_BY_THE_LANGUAGE: [&str; 8] = [
    "called `Option::unwrap()` on a `None` value",
    "called `Result::unwrap()` on an `Err` value",
    "called `Result::unwrap_err()` on an `Ok` value",
    "index out of bounds",
    "attempt to ",
    "range ",
    "byte index ",
    "already borrowed",
];

/// What went wrong, without anything that may be a value of the user's. `literal`: words that stand in the program itself.
/// `changes_aws`: the command is one that does.
pub(crate) fn finding(
    place: Option<(&str, u32)>,
    literal: Option<&str>,
    formatted: Option<&str>,
    changes_aws: bool,
) -> Finding {
    let mut finding = Finding::error(
        Code::InternalError,
        "portzero met a state that it was not made for, and ended",
    );
    if let Some((file, line)) = place {
        finding = finding.evidence("at", format!("{}:{line}", of_the_source(file)));
    }
    let by_the_language = || {
        let text = formatted?;
        let known = SAID_BY_THE_LANGUAGE
            .iter()
            .find(|beginning| text.starts_with(**beginning))?;
        let words = text.split(": ").next().unwrap_or(known);
        Some(if text.starts_with("byte index") {
            known.trim()
        } else {
            words
        })
    };
    if let Some(words) = literal.or_else(by_the_language) {
        finding = finding.evidence("because", words);
    }
    finding = finding.evidence("version", env!("CARGO_PKG_VERSION"));
    finding = if changes_aws {
        finding
            .state("what was begun in AWS goes on there, and this run does not follow it")
            .hint("`portzero status` shows how the service stands; `portzero observe` follows what goes on")
    } else {
        finding.state("this run changed nothing in AWS")
    };
    finding.hint("this is a fault of portzero: please report it with the lines above")
}

/// Without the folders of the machine that the program was built on.
fn of_the_source(file: &str) -> String {
    let file = file.replace('\\', "/");
    let parts: Vec<&str> = file.split('/').collect();
    match parts.iter().rposition(|part| *part == "src" || *part == "library") {
        Some(at) => parts[at.saturating_sub(1)..].join("/"),
        None => parts.last().copied().unwrap_or_default().to_owned(),
    }
}

/// The result document, as far as there is one.
pub(crate) fn json(finding: &Finding) -> Value {
    json!({
        "version": 1,
        "verdict": VERDICT,
        "services": [],
        "findings": plan::findings(std::slice::from_ref(finding)),
    })
}

pub(crate) fn outputs(report: String) -> Outputs {
    vec![("verdict", VERDICT.to_owned()), ("report", report)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn because(literal: Option<&str>, formatted: Option<&str>) -> Option<String> {
        let told = finding(None, literal, formatted, false);
        let because = told.evidence.into_iter().find(|(label, _)| label == "because");
        because.map(|(_, text)| text)
    }

    #[test]
    fn what_goes_on_in_aws_is_only_told_where_something_may() {
        for (changes, words) in [(true, "goes on there"), (false, "changed nothing")] {
            let told = finding(None, None, None, changes);
            assert!(told.state.is_some_and(|state| state.contains(words)));
            assert_eq!(told.hints.len(), if changes { 2 } else { 1 });
        }
    }

    #[test]
    fn a_value_in_the_message_is_not_told() {
        let unwrapped = "called `Result::unwrap()` on an `Err` value: Swordfish";
        let told = because(None, Some(unwrapped)).unwrap();
        assert_eq!(told, "called `Result::unwrap()` on an `Err` value");
        for formatted in ["Swordfish", "Swordfish: index out of bounds"] {
            assert_eq!(because(None, Some(formatted)), None);
        }
        let cut = "byte index 3 is not a char boundary; it is inside 'é' of `Swordfish`";
        assert_eq!(because(None, Some(cut)).as_deref(), Some("byte index"));
        assert_eq!(
            because(Some("no task is left"), None).as_deref(),
            Some("no task is left")
        );
    }

    #[test]
    fn the_place_is_that_of_the_source() {
        for (file, told) in [
            ("src/cli/run.rs", "src/cli/run.rs"),
            (
                "/home/x/.cargo/registry/src/index-1/hyper-1.12.0/src/lib.rs",
                "hyper-1.12.0/src/lib.rs",
            ),
            ("crates\\portzero-core\\src\\lib.rs", "portzero-core/src/lib.rs"),
            ("odd.rs", "odd.rs"),
        ] {
            assert_eq!(of_the_source(file), told);
        }
    }
}
