//! Flags that several commands share. Flag > environment (`PORTZERO_…`) > file > default.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::{ArgAction, Args, Command, FromArgMatches, ValueEnum};
use portzero_core::base::finding::{Code, Finding};
use portzero_core::base::text::nearest;
use portzero_core::base::time::Timestamp;
use portzero_core::policy::{IfBusy, Leftover};

use crate::adapters::aws::{RoleArn, SessionDuration, SessionName};
use crate::adapters::file;
use crate::config;

/// Which services.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Which {
    /// Services of the configuration, by name or alias; all of them where none is named
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
    /// Configuration file [default: portzero.yml, else deployfish.yml, else none is needed]
    #[arg(long, value_name = "PATH", env = "PORTZERO_CONFIG")]
    pub config: Option<PathBuf>,
    /// One of the file's `environments:` [default: the one whose branch matches the ref]
    #[arg(long, value_name = "NAME", env = "PORTZERO_ENVIRONMENT")]
    pub environment: Option<String>,
    /// Cluster, by name
    #[arg(long, value_name = "NAME", env = "PORTZERO_CLUSTER")]
    pub cluster: Option<String>,
    /// Service, by name; with --cluster no file is needed
    #[arg(long, value_name = "NAME", env = "PORTZERO_SERVICE")]
    pub service: Option<String>,
    /// AWS region [default: the file's, else the environment's]
    #[arg(long, value_name = "REGION", env = "PORTZERO_REGION")]
    pub region: Option<String>,
    /// Value for `${NAME}` in the configuration (repeatable)
    #[arg(long = "var", value_name = "NAME=VALUE")]
    pub vars: Vec<String>,
}

impl Which {
    pub(super) fn names(&self) -> Vec<String> {
        self.services.iter().chain(&self.service).cloned().collect()
    }
}

/// Which services, and what goes into them.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Selection {
    #[command(flatten)]
    pub which: Which,
    /// A file, `FAMILY`, `FAMILY:REVISION`, or `current` (what the service runs)
    #[arg(long, value_name = "PATH|FAMILY[:REV]|current", env = "PORTZERO_TASK_DEFINITION")]
    pub task_definition: Option<String>,
    /// New image; without `CONTAINER=` there must be one service and one candidate in it (repeatable)
    #[arg(long = "image", value_name = "[CONTAINER=]IMAGE", env = "PORTZERO_IMAGE")]
    pub images: Vec<String>,
    /// Environment entry of a container (repeatable)
    #[arg(long = "env", value_name = "CONTAINER:NAME=VALUE", hide_env_values = true)]
    pub container_environment: Vec<String>,
    /// Which host ports become 0 in bridge mode [default: load-balanced]
    #[arg(long, value_name = "load-balanced|all|keep", env = "PORTZERO_DYNAMIC_PORTS", value_parser = dynamic_ports)]
    pub dynamic_ports: Option<config::DynamicPorts>,
    /// Pass unknown keys that look like slips as well
    #[arg(long, env = "PORTZERO_ALLOW_UNKNOWN_KEYS", value_parser = BoolishValueParser::new())]
    pub allow_unknown_keys: bool,
    /// Show what commands, labels, options and tags change to; environment values stay hidden
    #[arg(long, env = "PORTZERO_SHOW_VALUES", value_parser = BoolishValueParser::new())]
    pub show_values: bool,
}

/// How far, and for how long, the rollout is followed.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Waiting {
    /// How far to follow it [default: drained]
    #[arg(long, value_name = "registered|healthy|drained|stage:NAME", env = "PORTZERO_UNTIL", value_parser = until)]
    pub until: Option<config::Until>,
    /// How long to wait in all, with a unit [default: twice the forecast, at least 10m, and what --settle is beyond 10s]
    #[arg(long, value_name = "DURATION", env = "PORTZERO_TIMEOUT", value_parser = config::duration)]
    pub timeout: Option<Duration>,
    /// How long the new targets must stay healthy without a break [default: 10s]
    #[arg(long, value_name = "DURATION", env = "PORTZERO_SETTLE", value_parser = config::duration)]
    pub settle: Option<Duration>,
    /// How long between two polls of AWS, at least 1s [default: 2s while something moves, up to 10s in a long drain]
    #[arg(long, value_name = "DURATION", env = "PORTZERO_POLL_INTERVAL", value_parser = config::poll_interval)]
    pub poll_interval: Option<Duration>,
}

/// How the rollout begins, and how it is followed.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Following {
    /// Force a new deployment [default: true]
    #[arg(long, value_name = "true|false", env = "PORTZERO_FORCE_NEW_DEPLOYMENT", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", action = ArgAction::Set, value_parser = BoolishValueParser::new())]
    pub force_new_deployment: Option<bool>,
    #[command(flatten)]
    pub waiting: Waiting,
    /// Stop before the first change at findings of this severity [default: error]
    #[arg(long, value_enum, env = "PORTZERO_FAIL_ON")]
    pub fail_on: Option<FailOn>,
    /// Let no finding with this code stop the run; may be repeated, or be a list with commas
    #[arg(long, value_name = "CODE", env = "PORTZERO_ALLOW", value_delimiter = ',', value_parser = finding_code)]
    pub allow: Vec<Code>,
    /// Where a deployment of the service is in progress: wait for its end, refuse, or deploy over it [default: wait]
    #[arg(long, value_name = "wait|fail|replace", env = "PORTZERO_IF_BUSY", value_parser = if_busy)]
    pub if_busy: Option<IfBusy>,
    /// After a failure that ECS does not roll back itself: leave it, or go back to what ran before [default: leave]
    #[arg(long, value_name = "leave|rollback", env = "PORTZERO_ON_FAILURE", value_parser = leftover)]
    pub on_failure: Option<Leftover>,
    /// The same where the run is cancelled (SIGINT, SIGTERM, SIGHUP) [default: leave]
    #[arg(long, value_name = "leave|rollback", env = "PORTZERO_ON_CANCEL", value_parser = leftover)]
    pub on_cancel: Option<Leftover>,
    /// After a success, deregister the family's ACTIVE revisions beyond the newest N that nobody needs [default: none]
    #[arg(long, value_name = "N", env = "PORTZERO_KEEP_REVISIONS", value_parser = config::keep_revisions)]
    pub keep_revisions: Option<u32>,
}

/// As whom AWS is called.
#[derive(Clone, Debug, Default, Args)]
pub struct Identity {
    /// Assume this role with the workflow run's ID token, and renew its credentials (GitHub Actions; `id-token: write`)
    #[arg(long, value_name = "ARN", env = "PORTZERO_ROLE_TO_ASSUME")]
    pub role_to_assume: Option<RoleArn>,
    /// What CloudTrail calls the session [default: portzero-RUN_ID]
    #[arg(long, value_name = "NAME", env = "PORTZERO_ROLE_SESSION_NAME")]
    pub role_session_name: Option<SessionName>,
    /// For how long the role's credentials are asked for, each time: 15m to 12h [default: 1h]
    #[arg(long, value_name = "DURATION", env = "PORTZERO_ROLE_DURATION", value_parser = role_duration)]
    pub role_duration: Option<SessionDuration>,
    /// For whom the ID token is; in China sts.amazonaws.com.cn [default: sts.amazonaws.com]
    #[arg(long, value_name = "NAME", env = "PORTZERO_AUDIENCE")]
    pub audience: Option<String>,
    /// When the credentials of the environment end, for a warning in time [default: AWS_CREDENTIAL_EXPIRATION]
    #[arg(long, value_name = "TIMESTAMP", env = "PORTZERO_CREDENTIALS_EXPIRE_AT", value_parser = timestamp)]
    pub credentials_expire_at: Option<Timestamp>,
}

/// What is printed, and where.
#[derive(Clone, Debug, Default, Args)]
pub struct Output {
    /// What goes to stdout; the story of the run goes to stderr
    #[arg(long, value_enum, env = "PORTZERO_FORMAT", default_value = "text")]
    pub format: Format,
    /// Write the result to this file: a page where it ends in .md, else the result document
    #[arg(long, value_name = "PATH", env = "PORTZERO_REPORT")]
    pub report: Option<PathBuf>,
    /// Only the end of the story
    #[arg(short, long, env = "PORTZERO_QUIET", value_parser = BoolishValueParser::new())]
    pub quiet: bool,
    #[command(flatten)]
    pub telling: Telling,
}

/// Who is told on GitHub.
#[derive(Clone, Default, Args)]
pub struct Telling {
    /// Comment on the pull request: in GitHub Actions for plans and deployments, never, or always (rehearsals too)
    #[arg(
        long,
        value_enum,
        value_name = "auto|never|always",
        env = "PORTZERO_COMMENT",
        default_value = "auto",
        hide_default_value = true
    )]
    pub comment: Commenting,
    /// Which comment of the pull request is this run's [default: ENVIRONMENT/FILE, and the services where they are named]
    #[arg(long, value_name = "KEY", env = "PORTZERO_COMMENT_KEY")]
    pub comment_key: Option<String>,
    /// The pull request to speak in [default: the one that the workflow run belongs to]
    #[arg(long, value_name = "NUMBER", env = "PORTZERO_PULL_REQUEST")]
    pub pull_request: Option<u64>,
    /// Token for GitHub's API [default: GITHUB_TOKEN]
    #[arg(long, value_name = "TOKEN", env = "PORTZERO_GITHUB_TOKEN", hide_env_values = true)]
    pub github_token: Option<String>,
    /// Record a GitHub deployment of the environment, with its status and address
    #[arg(long, env = "PORTZERO_GITHUB_DEPLOYMENT", value_parser = BoolishValueParser::new())]
    pub github_deployment: bool,
    /// Set a status on the commit
    #[arg(long, env = "PORTZERO_COMMIT_STATUS", value_parser = BoolishValueParser::new())]
    pub commit_status: bool,
    #[command(flatten)]
    pub hiding: Hiding,
}

/// What is not shown to strangers.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct Hiding {
    /// Hide AWS account ids [default: true on GitHub, but where the repository is private]
    #[arg(long, value_name = "true|false", env = "PORTZERO_HIDE_ACCOUNT_IDS", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", action = ArgAction::Set, value_parser = BoolishValueParser::new())]
    pub hide_account_ids: Option<bool>,
}

impl Hiding {
    /// As the variable has it, where a command has no such flag or is not known yet. What it cannot be counts as not
    /// given: whoever reads the flags will say so.
    pub fn of_variable() -> Self {
        let matches = Self::augment_args(Command::new("portzero").no_binary_name(true));
        let matches = matches.try_get_matches_from(std::iter::empty::<String>());
        let hiding = matches.and_then(|matches| Self::from_arg_matches(&matches));
        hiding.unwrap_or_default()
    }
}

impl Telling {
    /// GitHub Actions has one for every job, but hands it out only where it is asked for.
    pub fn token(&self) -> Option<String> {
        let given = self.github_token.clone().or_else(|| std::env::var("GITHUB_TOKEN").ok());
        given.filter(|token| !token.trim().is_empty())
    }
}

/// Without the token.
impl fmt::Debug for Telling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telling")
            .field("comment", &self.comment)
            .finish_non_exhaustive()
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Commenting {
    #[default]
    Auto,
    Never,
    Always,
}

impl Output {
    /// Whether the report can be written where it is wanted: asked for before anything is changed.
    pub fn check(&self) -> Result<(), Finding> {
        match &self.report {
            Some(path) => writable(path).map_err(|error| {
                let summary = format!("--report cannot be written to {}: {error}", path.display());
                Finding::error(Code::Config, summary).state("nothing was changed")
            }),
            None => Ok(()),
        }
    }
}

/// Opens the file and leaves it as it was. A pipe or a device is left alone: its reader may take this for the end.
fn writable(path: &Path) -> std::io::Result<()> {
    // Of a link to nowhere it is the file that comes and goes, and not the link.
    let path = file::followed(path)?;
    let there = std::fs::metadata(&path);
    if there.as_ref().is_ok_and(|there| !there.is_file() && !there.is_dir()) {
        return Ok(());
    }
    std::fs::OpenOptions::new().create(true).append(true).open(&path)?;
    if there.is_err() {
        std::fs::remove_file(&path)?;
    }
    Ok(())
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    #[default]
    Text,
    Json,
    Markdown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum FailOn {
    Warning,
    Error,
}

/// A code of docs/findings.md.
fn finding_code(text: &str) -> Result<Code, String> {
    let text = text.trim();
    let known = || Code::ALL.iter().map(|code| code.as_str());
    if let Some(code) = Code::ALL.iter().find(|code| code.as_str() == text) {
        return Ok(*code);
    }
    let near = nearest(text, known()).map(|near| format!(": did you mean `{near}`?"));
    Err(format!(
        "no finding has this code{}",
        near.unwrap_or_else(|| "; docs/findings.md lists them".into())
    ))
}

fn role_duration(text: &str) -> Result<SessionDuration, String> {
    SessionDuration::new(config::duration(text).map_err(|error| error.to_string())?)
}

/// RFC 3339. Quotes around it are those of `aws-expiration`, an output of aws-actions/configure-aws-credentials.
pub(super) fn timestamp(text: &str) -> Result<Timestamp, String> {
    let bare = text.trim().trim_matches('"');
    let at: jiff::Timestamp = bare
        .parse()
        .map_err(|_| "expected a time such as 2026-07-02T18:11:41Z".to_owned())?;
    Ok(Timestamp::from_millis(at.as_millisecond()))
}

fn until(text: &str) -> Result<config::Until, String> {
    text.parse().map_err(|e: config::UnknownWord| e.to_string())
}

fn if_busy(text: &str) -> Result<IfBusy, String> {
    text.parse().map_err(|e: config::UnknownWord| e.to_string())
}

fn leftover(text: &str) -> Result<Leftover, String> {
    text.parse().map_err(|e: config::UnknownWord| e.to_string())
}

fn dynamic_ports(text: &str) -> Result<config::DynamicPorts, String> {
    text.parse().map_err(|e: config::UnknownWord| e.to_string())
}

/// `NAME=VALUE`.
pub(super) fn pair(text: &str) -> Option<(&str, &str)> {
    text.split_once('=').filter(|(name, _)| !name.is_empty())
}
