//! What is printed, on streams that may be full or gone. Nothing else in the program touches stdout or stderr, so that
//! nothing is printed that shows a secret, moves a cursor, or is a command to a CI runner.

use std::io::ErrorKind;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use portzero_core::base::finding::Finding;
use portzero_core::values::Values;
use serde_json::Value;

use crate::adapters::aws::Secrets;
use crate::adapters::outlet::Outlet;
use crate::cli::stop::Stop;
use crate::report;
use crate::report::annotation::Annotation;
use crate::report::redact::Redaction;
use crate::report::{annotation, text};

/// Variables that hold a credential of this process.
const CREDENTIALS: [&str; 9] = [
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "GITHUB_TOKEN",
    "GH_TOKEN",
    "PORTZERO_GITHUB_TOKEN",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "ACTIONS_RUNTIME_TOKEN",
];

/// Nobody who listens takes longer over a line, and a rollout does not wait for those who do not.
const HEARD_WITHIN: Duration = Duration::from_secs(1);
/// For the next piece of a document, where a run with a timeout has ended.
const LEFT_WITHIN: Duration = Duration::from_secs(2);

static OUT: OnceLock<Outlet> = OnceLock::new();
static ERR: OnceLock<Outlet> = OnceLock::new();
static HIDING: RwLock<Option<Hiding>> = RwLock::new(None);

/// What is hidden, by who reads it.
#[derive(Clone, Default)]
struct Hiding {
    /// From everybody.
    everywhere: Arc<Redaction>,
    /// On GitHub, where also those read who see no log: more than elsewhere.
    on_github: Arc<Redaction>,
    /// In a document that the user asks for because of its values.
    of_the_user: Arc<Redaction>,
}

/// Sets what is hidden from now on: before the first word where it can be, and as soon as the flags are read. The
/// credentials in the environment are hidden in any case, and what was learned before stays hidden.
pub fn hide(hides_account_ids: bool, secrets: impl IntoIterator<Item = String>) {
    let secrets: Vec<String> = secrets.into_iter().collect();
    change(|hiding| {
        for redaction in hiding.all() {
            redaction.hides_account_ids = hides_account_ids;
            let of_environment = CREDENTIALS.iter().filter_map(|name| std::env::var(name).ok());
            of_environment
                .chain(secrets.iter().cloned())
                .for_each(|secret| redaction.known.add(&secret));
        }
    });
}

/// A credential of this run, of whatever origin.
pub fn learn_secret(secret: &str) {
    change(|hiding| {
        hiding
            .all()
            .into_iter()
            .for_each(|redaction| redaction.known.add(secret))
    });
}

/// A task definition that the run reads, makes or sends: what it gives to containers is hidden.
pub fn learn_definition(document: &Value) {
    learn(|values| values.add_definition(document));
}

/// Who hears of the secrets of a connection.
pub fn secrets() -> Secrets {
    Secrets {
        credential: Some(learn_secret),
        definition: Some(learn_definition),
    }
}

/// Values that are hidden wherever portzero speaks of them.
pub fn learn(teach: impl Fn(&mut Values)) {
    change(|hiding| {
        teach(&mut Arc::make_mut(&mut hiding.everywhere).known);
        teach(&mut Arc::make_mut(&mut hiding.on_github).known);
    });
}

/// Values that are hidden on GitHub.
pub fn learn_for_github(teach: impl Fn(&mut Values)) {
    change(|hiding| teach(&mut Arc::make_mut(&mut hiding.on_github).known));
}

impl Hiding {
    fn all(&mut self) -> [&mut Redaction; 3] {
        [&mut self.everywhere, &mut self.on_github, &mut self.of_the_user].map(Arc::make_mut)
    }
}

fn change(change: impl FnOnce(&mut Hiding)) {
    let mut set = HIDING.write().unwrap_or_else(PoisonError::into_inner);
    change(set.get_or_insert_default());
}

fn hiding() -> Hiding {
    let set = HIDING.read().unwrap_or_else(PoisonError::into_inner).clone();
    set.unwrap_or_else(|| {
        hide(false, []);
        HIDING
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
            .unwrap_or_default()
    })
}

/// What is hidden from everybody who reads what this process writes.
pub fn redaction() -> Arc<Redaction> {
    hiding().everywhere
}

/// What is hidden from those who read on GitHub.
pub fn redaction_on_github() -> Arc<Redaction> {
    hiding().on_github
}

/// Words for people, on stderr. Where nobody can hear them, the work goes on.
pub fn tell(text: &str) {
    story(&format!("{text}\n"));
}

/// A piece of a story of several lines, as [`tell`], but ending where it ends.
pub fn story(text: &str) {
    let _ = err().write(safe(text), Some(HEARD_WITHIN));
}

/// Annotations for GitHub, on stderr, which its runner reads as well: stdout may carry a document.
pub fn annotate(annotations: &[Annotation]) {
    for command in annotation::commands(annotations, &redaction_on_github()) {
        let _ = err().write(format!("{command}\n"), Some(HEARD_WITHIN));
    }
}

/// What was asked for, on stdout. A reader who has seen enough (`| head`) is none the worse for it.
///
/// # Errors
/// The text is lost, for example on a full device; stderr has been told.
pub fn hand_over(text: &str) -> Result<(), Stop> {
    give(&safe(text), None)
}

/// A document for a machine, on stdout; as [`hand_over`].
///
/// # Errors
/// The document is lost.
pub fn hand_over_document(document: &Document) -> Result<(), Stop> {
    give(&document.0, None)
}

/// The same at the end of a run with a timeout, which does not wait for a reader who has stopped.
///
/// # Errors
/// The document is lost.
pub fn leave_document(document: &Document) -> Result<(), Stop> {
    give(&document.0, Some(LEFT_WITHIN))
}

/// A finished page, on stdout; as [`hand_over`].
///
/// # Errors
/// The page is lost.
pub fn hand_over_page(page: &str) -> Result<(), Stop> {
    give(&text::page(page), None)
}

/// A finished page, as [`leave_document`].
///
/// # Errors
/// The page is lost.
pub fn leave_page(page: &str) -> Result<(), Stop> {
    give(&text::page(page), Some(LEFT_WITHIN))
}

/// At the end of the program: a reader of stderr who had stopped may still go on.
pub fn settle() {
    err().settle(HEARD_WITHIN);
}

/// JSON that may be printed: without credentials, inert in a CI log and on a terminal, and still of the same meaning.
#[derive(Debug)]
pub struct Document(String);

impl Document {
    /// Our own words on several lines.
    pub fn pretty(mut value: Value) -> Self {
        redaction().apply_json(&mut value);
        Self(text::json(&format!("{value:#}")))
    }

    /// Our own words on one line.
    pub fn compact(mut value: Value) -> Self {
        redaction().apply_json(&mut value);
        Self(text::json(&value.to_string()))
    }

    /// A document of the user's. Its values are the point of asking for it: only this process's credentials are hidden.
    pub fn of_the_user(mut value: Value) -> Self {
        hiding().of_the_user.apply_json_known(&mut value);
        Self(text::json(&format!("{value:#}")))
    }

    /// The text, without a line end.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What hides a secret is taken away first, or the secret would show once it is gone.
fn safe(text: &str) -> String {
    text::log(&redaction().block(text))
}

fn out() -> &'static Outlet {
    OUT.get_or_init(|| Outlet::open("stdout", std::io::stdout))
}

fn err() -> &'static Outlet {
    ERR.get_or_init(|| Outlet::open("stderr", std::io::stderr))
}

fn give(text: &str, patience: Option<Duration>) -> Result<(), Stop> {
    match out().write(format!("{}\n", text.trim_end()), patience) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            tell(&format!("error: stdout does not take what was asked for: {error}"));
            Err(Stop::lost())
        }
        _ => Ok(()),
    }
}

pub fn warn(warnings: &[Finding]) {
    for finding in warnings {
        tell(report::finding::render(finding).trim_end());
    }
}
