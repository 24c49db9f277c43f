//! A finding as text: what did not happen, the evidence, the state AWS was left in, the hints.

use portzero_core::base::finding::Finding;

use crate::report::text::clean;

pub fn render(finding: &Finding) -> String {
    let mut out = format!(
        "{}[{}]: {}\n",
        finding.severity.as_str(),
        finding.code,
        clean(&finding.summary)
    );
    if let Some(location) = &finding.location {
        out.push_str(&format!("  --> {}\n", clean(&location.to_string())));
    }
    let labels = finding.evidence.iter().map(|(label, _)| label.as_str().chars().count());
    let width = labels.chain(finding.state.is_some().then_some(5)).max().unwrap_or(0);
    for (label, text) in finding.evidence_rows() {
        out.push_str(&format!("  {label:<width$}  {}\n", clean(text)));
    }
    if let Some(state) = &finding.state {
        out.push_str(&format!("  {:<width$}  {}\n", "state", clean(state)));
    }
    if !finding.hints.is_empty() {
        out.push('\n');
    }
    for hint in finding.hints.iter().take(2) {
        out.push_str(&format!("hint: {}\n", clean(hint.as_str())));
    }
    out
}
