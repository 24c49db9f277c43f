//! What readers get of a case: as the program makes it, and as it was made before.

use portzero::report::annotation::{self, Annotation};
use portzero::report::markdown::Markdown;
use portzero::report::page::{self, Setting, Stage};
use portzero::report::redact::Redaction;
use portzero::report::{env_file, finding, plan, text};
use portzero_core::base::finding::{Code, Finding};
use portzero_core::task_definition::diff;
use portzero_core::values::Values;
use serde_json::{Value, json};

use super::generate::{Case, Secret};

/// How values are hidden. All but the first are ways that once let values through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Now,
    /// A value is replaced where a text has it as it stands.
    AsItStands,
    /// The forms are made beforehand: percent, JSON, base64 from its beginning.
    FormsBeforehand,
    /// The text is cleaned, cut and put on one line before anybody looks.
    AfterCleaning,
    /// The document is written before anybody looks.
    AfterEncoding,
    /// Our own sentences are split into words and code first.
    AfterSplitting,
    /// Only the new definition is known, not the one that runs.
    WithoutWhatRuns,
    /// Commands, labels, options and tags are shown, but for what looks like a credential.
    CommandsShown,
    /// An answer that cannot be read is quoted.
    BodiesQuoted,
    /// What comes from the environment of the process is shown on GitHub.
    InheritedShown,
}

impl Way {
    pub const OLD: [Self; 9] = [
        Self::AsItStands,
        Self::FormsBeforehand,
        Self::AfterCleaning,
        Self::AfterEncoding,
        Self::AfterSplitting,
        Self::WithoutWhatRuns,
        Self::CommandsShown,
        Self::BodiesQuoted,
        Self::InheritedShown,
    ];
}

/// The first surface that shows a secret.
pub fn leak(case: &Case, way: Way) -> Option<String> {
    let mut all: Vec<&Secret> = case.given.iter().chain(&case.written).collect();
    all.push(&case.credential);
    let here = redaction(case, way, false);
    let on_github = redaction(case, way, true);
    let findings = findings(case, way, false);
    for (name, shown) in elsewhere(case, way, &findings, &here) {
        if let Some(secret) = super::judge::found(&shown, all.iter().copied()) {
            return Some(told(name, secret, case));
        }
    }
    let findings = self::findings(case, way, true);
    all.push(&case.inherited);
    for (name, shown) in github(way, &findings, &on_github) {
        if let Some(secret) = super::judge::found(&shown, all.iter().copied()) {
            return Some(told(name, secret, case));
        }
    }
    None
}

fn told(surface: &str, secret: &Secret, case: &Case) -> String {
    let how: Vec<&str> = case.said.iter().map(|(_, how)| *how).collect();
    format!("{surface} shows {secret:?}; said: {how:?}")
}

fn redaction(case: &Case, way: Way, is_github: bool) -> Redaction {
    let mut known = Values::default();
    known.add(&case.credential.value);
    if way != Way::WithoutWhatRuns {
        known.add_definition(&case.before);
    }
    known.add_definition(&case.after);
    if is_github && way != Way::InheritedShown {
        known.add_inherited("DEPLOY_KEY", &case.inherited.value);
    }
    if matches!(way, Way::AsItStands | Way::FormsBeforehand) {
        known = Values::default();
    }
    Redaction {
        hides_account_ids: false,
        known,
    }
}

fn findings(case: &Case, way: Way, is_github: bool) -> Vec<Finding> {
    let old = |words: &str| match way {
        Way::AsItStands => replaced(words, case, false),
        Way::FormsBeforehand => replaced(words, case, true),
        Way::AfterCleaning => {
            let cut: String = text::clean(words).chars().take(160).collect();
            cut
        }
        _ => words.to_owned(),
    };
    let said: Vec<String> = case.said.iter().map(|(words, _)| old(words)).collect();
    let mut finding = Finding::error(Code::Config, format!("new tasks cannot start: {}", said[0]))
        .evidence("ecs", said[1].clone())
        .evidence("log", said[2].clone())
        .state(said[3].clone())
        .hint(format!("look at {}", said[0]));
    if way == Way::BodiesQuoted {
        finding = finding.evidence("answer", format!("the answer cannot be read: `{}`", case.body));
    }
    if is_github {
        finding = finding.evidence("configuration", case.configured.clone());
    }
    for line in diff(&case.before, &case.after, way == Way::CommandsShown) {
        finding = finding.evidence("difference", line.to_string());
    }
    vec![finding]
}

/// As values were once replaced.
fn replaced(words: &str, case: &Case, in_forms: bool) -> String {
    let secrets = case.given.iter().chain([&case.credential]);
    secrets.fold(words.to_owned(), |words, secret| {
        let value = secret.value.trim();
        let json = Value::from(value).to_string();
        let percent: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
        let mut forms = vec![value.to_owned()];
        if in_forms {
            forms.extend([percent.replace('+', "%20"), percent, json[1..json.len() - 1].to_owned()]);
            forms.extend(value.lines().filter(|line| line.len() >= 8).map(str::to_owned));
        }
        forms
            .iter()
            .fold(words, |words, form| words.replace(form.as_str(), "***"))
    })
}

/// The log, the documents, a panic.
fn elsewhere(case: &Case, way: Way, findings: &[Finding], redaction: &Redaction) -> Vec<(&'static str, String)> {
    let rendered: String = findings.iter().map(finding::render).collect();
    let mut document = json!({"findings": plan::findings(findings)});
    let document = if way == Way::AfterEncoding {
        let written = document.to_string();
        replaced(&written, case, false)
    } else {
        redaction.apply_json(&mut document);
        text::json(&format!("{document:#}"))
    };
    let attempt = text::clean(&format!("call: ecs:DescribeTasks, attempt 1: {}", case.said[0].0));
    let panic = Finding::error(Code::InternalError, case.said[1].0.clone());
    vec![
        ("the log", text::log(&redaction.block(&rendered))),
        ("-vv", text::log(&redaction.block(&attempt))),
        ("the document", document),
        ("a panic", text::log(&redaction.block(&finding::render(&panic)))),
    ]
}

/// The comment, which is the summary as well, annotations, outputs, the status.
fn github(way: Way, findings: &[Finding], redaction: &Redaction) -> Vec<(&'static str, String)> {
    let setting = Setting {
        log: findings.iter().map(finding::render).collect(),
        warnings: findings.to_vec(),
        ..Setting::default()
    };
    let stage = Stage::Stopped(findings);
    let annotations: Vec<Annotation> = findings.iter().map(Annotation::from).collect();
    let first = &findings[0];
    let words = first.evidence.iter().map(|(_, words)| redaction.whole(words));
    let outputs: Vec<(&str, String)> = words.map(|words| ("report", words)).collect();
    let mut page = page::render(stage, &setting, redaction, usize::MAX);
    if way == Way::AfterSplitting {
        let md = Markdown::new(redaction);
        page = first.summary.split('`').map(|part| md.text(part)).collect();
    }
    vec![
        ("the page", page),
        ("a short page", page::render(stage, &setting, redaction, 3_000)),
        (
            "a broken run's page",
            page::render(Stage::Broken(first), &setting, redaction, usize::MAX),
        ),
        ("the status", redaction.line(&page::description(stage, &setting))),
        ("annotations", annotation::commands(&annotations, redaction).join("\n")),
        ("outputs", env_file::entries(&outputs, "end-of-it").unwrap_or_default()),
    ]
}
