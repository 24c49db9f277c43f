//! Between the simulator and the program: its errors as findings, its moments as timestamps. The simulator knows nothing
//! of either, since it is what the program is held against.

use portzero_core::base::finding::{Code, Finding, Hint, Location};
use portzero_core::base::time::Timestamp;
use portzero_core::file_kind::{self, Wanted};
use portzero_core::yaml;
use portzero_sim::scenario::Scenario;
use portzero_sim::{FaultWarning, ScenarioError};

/// A scenario file. The simulator knows no files but its own, so what else it is gets said here.
pub(super) fn read(text: &str, file: &str) -> Result<Scenario, Vec<Finding>> {
    let something_else = |is_read| {
        let found = file_kind::recognise(text, file, Wanted::Scenario, is_read)?;
        Some(vec![found.finding(file, Wanted::Scenario)])
    };
    let is_blank = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
    if text.lines().all(is_blank) {
        return Err(something_else(true).unwrap_or_default());
    }
    Scenario::read(text, file).map_err(|errors| {
        let refused = yaml::read(text, yaml::OtherTags::Ignored).err();
        let findings = || match refused.as_ref().and_then(|refused| not_yaml(refused, file)) {
            Some(finding) => vec![finding],
            None => errors.into_iter().map(finding).collect(),
        };
        something_else(refused.is_none()).unwrap_or_else(findings)
    })
}

/// A slip in the form: the reader of configurations has the words for it.
fn not_yaml(refused: &yaml::Refused, file: &str) -> Option<Finding> {
    let yaml::Reason::Syntax(mistake) = &refused.reason else {
        return None;
    };
    let summary = format!("{file} is not YAML: {}", mistake.said);
    let finding = Finding::error(Code::Syntax, summary).at(refused.at.in_file(file));
    Some(mistake.hint.iter().cloned().fold(finding, Finding::hint))
}

/// What is wrong with a scenario file, or with `--fault`.
pub(super) fn finding(error: ScenarioError) -> Finding {
    let mut finding = Finding::error(Code::Config, error.message);
    finding.location = error.place.map(|at| Location {
        file: at.file,
        line: at.line,
        column: at.column,
    });
    finding.evidence.extend(error.file.map(|file| ("file".into(), file)));
    finding.hints.extend(error.hint.map(Hint::from));
    finding
}

/// Faults that do less than was asked for.
pub(super) fn warnings(warnings: &[FaultWarning]) -> Vec<Finding> {
    let code = |warning: &FaultWarning| match warning {
        FaultWarning::IgnoredKeys { .. } => Code::IgnoredKey,
        FaultWarning::NoEffect { .. } => Code::Config,
    };
    warnings
        .iter()
        .map(|warning| Finding::warning(code(warning), warning.to_string()))
        .collect()
}

/// A moment of virtual time.
pub(super) fn time(at: portzero_sim::Timestamp) -> Timestamp {
    Timestamp::from_millis(at.as_millis())
}

/// A moment of the program's, for the simulator.
pub(super) fn moment(at: Timestamp) -> portzero_sim::Timestamp {
    portzero_sim::Timestamp::from_millis(at.as_millis())
}
