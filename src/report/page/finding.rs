//! A finding, set off from the rest: cause, evidence, state and next move.

use portzero_core::base::finding::{Finding, Severity};

use crate::report::markdown::Markdown;
use crate::report::page::prose::prose;

pub(super) fn render(finding: &Finding, md: Markdown<'_>) -> String {
    of_service(finding, None, md)
}

/// With the name of the service, where there are several.
pub(super) fn of_service(finding: &Finding, service: Option<&str>, md: Markdown<'_>) -> String {
    let kind = match finding.severity {
        Severity::Error => "CAUTION",
        Severity::Warning => "WARNING",
        Severity::Note => "NOTE",
    };
    let generation = service.map_or_else(String::new, |name| format!("{}: ", md.code(name)));
    let mut lines = vec![
        format!("[!{kind}]"),
        format!(
            "{generation}**{}** ({})",
            prose(&finding.summary, md),
            md.code(finding.code.as_str())
        ),
    ];
    if let Some(location) = &finding.location {
        lines.push(format!("at {}", md.code(&location.to_string())));
    }
    if !finding.evidence.is_empty() {
        lines.push(String::new());
        lines.push("| Evidence | |".to_owned());
        lines.push("|---|---|".to_owned());
        let rows = finding.evidence_rows();
        lines.extend(rows.map(|(label, text)| format!("| {} | {} |", md.text(label), prose(text, md))));
    }
    if let Some(state) = &finding.state {
        lines.push(String::new());
        lines.push(format!("**State:** {}", prose(state, md)));
    }
    for hint in finding.hints.iter().take(2) {
        lines.push(String::new());
        lines.push(format!("**Next:** {}", prose(hint.as_str(), md)));
    }
    let quoted = lines.iter().map(|line| format!("> {line}").trim_end().to_owned());
    quoted.collect::<Vec<_>>().join("\n")
}
