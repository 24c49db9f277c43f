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
        let is_readable = yaml::read(text, yaml::OtherTags::Ignored).is_ok();
        let findings = || errors.into_iter().map(finding).collect();
        something_else(is_readable).unwrap_or_else(findings)
    })
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
