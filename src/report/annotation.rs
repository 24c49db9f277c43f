//! Workflow commands: what GitHub shows on the page of a run, and beside a line of a file.

use portzero_core::base::finding::{Finding, Location, Severity};

use crate::report::redact::Redaction;
use crate::report::text;

/// The runner keeps 10 of a kind for a whole step and drops the rest without a word; the step may have other things to
/// say than ours.
const ANNOTATIONS_PER_KIND_MAX: usize = 8;
/// The runner cuts a message here, and counts as .NET does, in UTF-16 units.
const MESSAGE_UNITS_MAX: usize = 4_096;
/// A title is one line on a page.
const TITLE_CHARS_MAX: usize = 120;
const CUT: &str = "\n… (cut here; the step summary has the whole)";

/// One thing to show. Its texts may hold anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annotation {
    pub severity: Severity,
    pub title: String,
    /// May have several lines.
    pub message: String,
    /// Relative to the workspace, or GitHub shows it beside no file.
    pub location: Option<Location>,
}

impl From<&Finding> for Annotation {
    fn from(finding: &Finding) -> Self {
        let mut lines = vec![text::clean(&finding.summary)];
        for (label, words) in &finding.evidence {
            lines.push(format!("{}: {}", text::clean(label.as_str()), text::clean(words)));
        }
        lines.extend(
            finding
                .state
                .iter()
                .map(|state| format!("state: {}", text::clean(state))),
        );
        lines.extend(
            finding
                .hints
                .iter()
                .map(|hint| format!("hint: {}", text::clean(hint.as_str()))),
        );
        Self {
            severity: finding.severity,
            title: format!("portzero: {}", finding.code),
            message: lines.join("\n"),
            location: finding.location.clone(),
        }
    }
}

/// The commands, one a line and without its end, the worst first. The same is said once; what is too much for GitHub
/// becomes "and N more". The lines must reach a stream as they are.
pub fn commands(annotations: &[Annotation], redaction: &Redaction) -> Vec<String> {
    let mut commands = Vec::new();
    for severity in [Severity::Error, Severity::Warning, Severity::Note] {
        let mut kind: Vec<String> = Vec::new();
        for annotation in annotations.iter().filter(|a| a.severity == severity) {
            let command = command(annotation, redaction);
            if !kind.contains(&command) {
                kind.push(command);
            }
        }
        if kind.len() > ANNOTATIONS_PER_KIND_MAX {
            let left = kind.len() - (ANNOTATIONS_PER_KIND_MAX - 1);
            kind.truncate(ANNOTATIONS_PER_KIND_MAX - 1);
            kind.push(command(&more(severity, left), redaction));
        }
        commands.append(&mut kind);
    }
    commands
}

fn more(severity: Severity, count: usize) -> Annotation {
    Annotation {
        severity,
        title: "portzero".into(),
        message: format!(
            "and {count} more {}s: the step summary and the log have all of them",
            severity.as_str()
        ),
        location: None,
    }
}

fn command(annotation: &Annotation, redaction: &Redaction) -> String {
    let name = match annotation.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let mut properties = Vec::new();
    if let Some(location) = &annotation.location {
        let file = redaction.line(&location.file);
        if !file.trim().is_empty() {
            properties.push(format!(
                "file={},line={},col={}",
                property(&file),
                location.line,
                location.column
            ));
        }
    }
    let title: String = redaction
        .line(&annotation.title)
        .chars()
        .take(TITLE_CHARS_MAX)
        .collect();
    if !title.trim().is_empty() {
        properties.push(format!("title={}", property(&title)));
    }
    let message = text::log(&redaction.block(&annotation.message));
    let message = cut(message.trim_end());
    let gap = if properties.is_empty() { "" } else { " " };
    format!("::{name}{gap}{}::{}", properties.join(","), data(&message))
}

/// What fits the runner's limit, with the words that it was cut.
fn cut(message: &str) -> String {
    let units = |text: &str| text.encode_utf16().count();
    if units(message) <= MESSAGE_UNITS_MAX {
        return message.to_owned();
    }
    let mut room = MESSAGE_UNITS_MAX - units(CUT);
    let kept: String = message
        .chars()
        .take_while(|c| {
            let fits = c.len_utf16() <= room;
            room = room.saturating_sub(c.len_utf16());
            fits
        })
        .collect();
    kept + CUT
}

/// `%` first: it is what the others are written with. A `##[` would be a command of the older form, if this one were
/// ever not understood.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
        .replace("##[", "# #[")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::{Annotation, commands};
    use crate::report::redact::Redaction;
    use portzero_core::base::finding::{Code, Finding, Location, Severity};

    fn annotation(severity: Severity, message: &str) -> Annotation {
        Annotation {
            severity,
            title: "portzero: config".into(),
            message: message.into(),
            location: None,
        }
    }

    fn said(annotations: &[Annotation]) -> Vec<String> {
        commands(annotations, &Redaction::default())
    }

    #[test]
    fn a_finding_becomes_a_command_with_its_place() {
        let location = Location {
            file: "deploy/a,b:c.yml".into(),
            line: 4,
            column: 14,
        };
        let finding = Finding::error(Code::Config, "100% wrong\n::error::x")
            .at(location)
            .evidence("got", "two")
            .state("nothing was changed")
            .hint("write 2");
        assert_eq!(
            said(&[Annotation::from(&finding)]),
            [
                "::error file=deploy/a%2Cb%3Ac.yml,line=4,col=14,title=portzero%3A config::100%25 wrong ⏎ ::error::x\
                 %0Agot: two%0Astate: nothing was changed%0Ahint: write 2"
            ]
        );
    }

    #[test]
    fn the_worst_come_first_and_the_same_is_said_once() {
        let (note, warning, error) = (
            annotation(Severity::Note, "n"),
            annotation(Severity::Warning, "w"),
            annotation(Severity::Error, "e"),
        );
        let said = said(&[note.clone(), warning.clone(), error.clone(), warning, note, error]);
        let names: Vec<&str> = said.iter().map(|c| c.split(' ').next().unwrap()).collect();
        assert_eq!(names, ["::error", "::warning", "::notice"]);
    }

    #[test]
    fn eight_are_said_and_of_nine_seven_with_the_number_of_the_rest() {
        let some = |count: usize| -> Vec<Annotation> {
            (0..count)
                .map(|n| annotation(Severity::Warning, &n.to_string()))
                .collect()
        };
        assert_eq!(said(&some(8)).len(), 8);
        let nine = said(&some(9));
        assert_eq!(nine.len(), 8);
        assert_eq!(
            nine[7],
            "::warning title=portzero::and 2 more warnings: the step summary and the log have all of them"
        );
    }

    #[test]
    fn a_message_is_cut_at_the_runners_limit_and_not_before() {
        let message = |text: &str| {
            let said = said(&[annotation(Severity::Error, text)]).remove(0);
            said.split_once("config::")
                .unwrap()
                .1
                .replace("%0A", "\n")
                .replace("%25", "%")
        };
        assert_eq!(message(&"%".repeat(4_096)), "%".repeat(4_096));
        for long in [
            "%".repeat(4_097),
            "🎉".repeat(2_049),
            format!("a{}", "🎉".repeat(4_000)),
        ] {
            let cut = message(&long);
            assert!(cut.encode_utf16().count() <= 4_096, "{}", cut.encode_utf16().count());
            assert!(cut.encode_utf16().count() >= 4_095);
            assert!(cut.ends_with("(cut here; the step summary has the whole)"));
        }
    }
}
