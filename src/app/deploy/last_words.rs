//! What a container printed before it failed: asked for when every verdict is known, so that it delays none and changes
//! none, and shown with the finding that it explains.

use portzero_core::aws_model::api_error::{ApiError, ApiErrorKind};
use portzero_core::aws_model::task::LogStream;
use portzero_core::base::finding::{Code, EvidenceLabel, Finding, HintKind};
use portzero_core::port::{Interrupts, Logs};
use portzero_core::rollout::{Observer, Outcome, Verdict};
use portzero_core::values::{HIDDEN, Values};

use crate::app::deploy::service_run::ServiceRun;
use crate::app::ports::unless_interrupted;

/// As many lines as a person reads before scrolling.
const SHOWN_MAX: usize = 10;
/// More are read than shown: empty ones are left out, and a private key that ends in the last ones begins before them.
const READ: u16 = 50;
/// The length of a line of a private key or a certificate.
const KEY_LINE_CHARS_MIN: usize = 60;

/// The finding that wants an explanation, and where it may be.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub code: Code,
    pub stream: LogStream,
}

impl Wanted {
    /// Nobody waits for the words of a run that is asked to end.
    pub(super) fn of(observer: &Observer, outcome: &Outcome) -> Option<Self> {
        let findings = outcome
            .findings
            .iter()
            .filter(|_| outcome.verdict != Verdict::Interrupted);
        findings
            .filter_map(|finding| Some((finding.code, observer.last_words(finding)?)))
            .next()
            .map(|(code, stream)| Self {
                code,
                stream: stream.clone(),
            })
    }
}

/// Adds the last lines to the finding. A run that is asked to end does not wait for them.
pub(super) async fn add(aws: &impl Logs, interrupts: &impl Interrupts, wanted: Wanted, run: &mut ServiceRun) {
    let reading = aws.last_lines(&wanted.stream, READ);
    let Some(read) = unless_interrupted(interrupts, reading).await else {
        return;
    };
    // Without the task definition nobody knows what must not be shown.
    let values = environment(run);
    let mut findings = run.outcome.iter_mut().flat_map(|outcome| &mut outcome.findings);
    if let Some(finding) = findings.find(|finding| finding.code == wanted.code) {
        let rows = match read {
            Ok(_) if values.is_none() => {
                vec!["not shown: the task definition, whose values must be hidden, cannot be read".into()]
            }
            Ok(lines) => match shown(lines, &values.unwrap_or_default()) {
                lines if lines.is_empty() => silent(finding, &wanted.stream),
                lines => lines,
            },
            Err(error) => refused(&error, finding),
        };
        put(finding, &wanted.stream, rows);
    }
}

/// Behind the row that names the stream.
fn put(finding: &mut Finding, stream: &LogStream, rows: Vec<String>) {
    let known = finding
        .evidence
        .iter()
        .position(|(label, _)| *label == EvidenceLabel::Logs);
    let at = known.unwrap_or_else(|| {
        finding.evidence.push((EvidenceLabel::Logs, stream.to_string()));
        finding.evidence.len() - 1
    });
    for (row, text) in rows.into_iter().enumerate() {
        finding.evidence.insert(at + 1 + row, (EvidenceLabel::Log, text));
    }
}

/// Nobody is sent to read a log that is empty.
fn silent(finding: &mut Finding, stream: &LogStream) -> Vec<String> {
    let reading = HintKind::ReadLog {
        stream: stream.name.clone(),
    };
    for hint in finding.hints.iter_mut().filter(|hint| hint.kind == reading) {
        *hint = "run the image as the task definition does, and see why it ends without a word".into();
    }
    vec!["the container printed nothing".to_owned()]
}

/// The lines were not to be had, which is said and no more.
fn refused(error: &ApiError, finding: &mut Finding) -> Vec<String> {
    match error.kind {
        ApiErrorKind::NotFound => vec![format!("nothing there: {}", error.message)],
        ApiErrorKind::Denied => {
            if finding.hints.len() < 2 {
                let hint = format!(
                    "allow {} to the role of this run, and the last lines stand here",
                    error.action
                );
                finding.hints.push(hint.into());
            }
            vec![format!("not checked: {}", error.action)]
        }
        _ => {
            let why = error.code.as_ref().unwrap_or(&error.message);
            vec![format!("not checked: {} ({why})", error.action)]
        }
    }
}

/// The values of the environment variables that the containers were given: applications print them when they fail.
fn environment(run: &ServiceRun) -> Option<Values> {
    let planned = run.plan.as_ref().map(|plan| &plan.document);
    Some(Values::of_log(planned.or(run.document.as_ref())?))
}

/// The last lines without what must not be shown. Credentials that are known by their shape are hidden where the
/// finding is printed; here goes what can be seen over several lines only, or with the task definition at hand.
fn shown(lines: Vec<String>, values: &Values) -> Vec<String> {
    // One event may hold several lines.
    let lines: Vec<String> = lines
        .iter()
        .flat_map(|event| event.lines())
        .map(str::to_owned)
        .collect();
    let lines = without_keys(lines);
    // A value may go over several of them.
    let lines = values.hide(&lines.join("\n")).into_owned();
    let lines: Vec<&str> = lines.lines().filter(|line| !line.trim().is_empty()).collect();
    let older = lines.len().saturating_sub(SHOWN_MAX);
    lines.into_iter().skip(older).map(str::to_owned).collect()
}

/// Private keys are printed line by line. One may have begun before the first line that was read.
fn without_keys(lines: Vec<String>) -> Vec<String> {
    let is_edge = |line: &str, edge: &str| line.contains(edge) && line.contains("PRIVATE KEY");
    let first_end = lines.iter().position(|line| is_edge(line, "-----END"));
    let first_begin = lines.iter().position(|line| is_edge(line, "-----BEGIN"));
    let mut is_inside = match (first_begin, first_end) {
        (Some(begin), Some(end)) => end < begin,
        (None, Some(_)) => true,
        _ => false,
    };
    let mut kept = Vec::new();
    for line in lines {
        let begins = is_edge(&line, "-----BEGIN");
        let ends = is_edge(&line, "-----END");
        if is_inside || begins || ends || is_key_material(&line) {
            kept.push(HIDDEN.to_owned());
        } else {
            kept.push(line);
        }
        is_inside = (is_inside || begins) && !ends;
    }
    kept.dedup_by(|next, before| next == HIDDEN && before == HIDDEN);
    kept
}

/// A line that is nothing but base64 is no word of an application.
fn is_key_material(line: &str) -> bool {
    let line = line.trim();
    line.len() >= KEY_LINE_CHARS_MIN && line.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn the_last_ten_lines_are_shown_without_empty_ones() {
        let many: Vec<String> = (1..=40).map(|n| format!("line {n}\n\n")).collect();
        let shown = shown(many, &Values::default());
        assert_eq!(
            (shown.len(), shown[0].as_str(), shown[9].as_str()),
            (10, "line 31", "line 40")
        );
    }

    #[test]
    fn values_of_the_environment_are_hidden_wherever_they_stand() {
        let values = ["postgres://web:hunter2@db/web", "hunter2hunter2"]
            .into_iter()
            .collect();
        let printed = lines(&[
            "cannot reach postgres://web:hunter2@db/web?x=1",
            "password hunter2hunter2!",
        ]);
        assert_eq!(shown(printed, &values), ["cannot reach ***?x=1", "password ***!"]);
    }

    #[test]
    fn no_line_of_a_private_key_is_shown() {
        let body = "A".repeat(64);
        let whole = lines(&[
            "start",
            "-----BEGIN RSA PRIVATE KEY-----",
            &body,
            "short",
            "-----END RSA PRIVATE KEY-----",
            "end",
        ]);
        assert_eq!(shown(whole, &Values::default()), ["start", "***", "end"]);
        let tail = lines(&["c2hvcnQ=", "-----END PRIVATE KEY-----", "end"]);
        assert_eq!(shown(tail, &Values::default()), ["***", "end"]);
        let middle = lines(&[body.as_str(), body.as_str()]);
        assert_eq!(shown(middle, &Values::default()), ["***"]);
    }
}
