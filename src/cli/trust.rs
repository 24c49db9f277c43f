//! `--trust-base`: a file that a stranger may have changed reaches no further than the same file on the base branch.
//!
//! The base's files are read from GitHub's contents API. A checkout of a pull request has one commit, the trial merge,
//! and git cannot show a file of another one there.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use clap::Args;
use clap::builder::BoolishValueParser;
use portzero_core::base::finding::{Code, Finding};
use portzero_core::port::{Clock as _, PullRequests as _};
use portzero_core::task_definition::{Document, Format, Step};

use crate::adapters::clock::SystemClock;
use crate::adapters::github::{Base, Client};
use crate::cli::ci::actions;
use crate::cli::files;
use crate::cli::options::{Selection, Telling, pair};
use crate::cli::stop::Stop;
use crate::config::{self, Config, Flags, Reaching, ServiceConfig, TaskDefinitionSource};

/// For all files of the base together.
const BASE_WITHIN: Duration = Duration::from_secs(20);
const ROLES: [&str; 2] = ["taskRoleArn", "executionRoleArn"];
const UNCHANGED: &str = "nothing was changed, and AWS was not asked";

#[derive(Clone, Copy, Debug, Default, Args)]
pub(super) struct TrustBase {
    /// Refuse a configuration that names more than the base branch's does: for pull requests of strangers
    #[arg(long, env = "PORTZERO_TRUST_BASE", value_parser = BoolishValueParser::new())]
    trust_base: bool,
}

impl TrustBase {
    /// Before anything of the file is acted on. Nothing is compared where the run is about what has arrived: then the
    /// file is the branch's own.
    ///
    /// # Errors
    /// What goes beyond the base's file, or why that cannot be known.
    pub(super) async fn hold(self, selection: &Selection, telling: &Telling) -> Result<(), Stop> {
        if !self.trust_base {
            return Ok(());
        }
        let held = match actions::base() {
            Base::Own => Ok(()),
            Base::Unknown => Err(vec![unknown_base()]),
            Base::Commit(commit) => against(commit, selection, telling).await,
        };
        held.map_err(|findings| {
            let findings = findings.into_iter().map(|finding| finding.state(UNCHANGED));
            Stop::usage(findings.collect())
        })
    }
}

async fn against(commit: String, selection: &Selection, telling: &Telling) -> Result<(), Vec<Finding>> {
    let one = |finding: Finding| vec![finding];
    let checkout = Checkout::here().map_err(one)?;
    let path = files::config_path(selection.which.config.as_deref());
    let named = selection
        .task_definition
        .as_deref()
        .filter(|named| config::is_path(named));
    let base = BaseFiles::open(commit, telling).map_err(one)?;
    let mut pairs: Vec<(Document, Option<Document>)> = Vec::new();
    if let Some(path) = &path {
        let files = read_both(path, &checkout, &base).await?;
        let (own, other) = compare(&files, selection)?;
        if named.is_none() {
            for service in chosen(&own, selection) {
                let twin = other.services.iter().find(|twin| twin.name == service.name);
                pairs.extend(definitions(service, twin, path, &checkout, &base).await?);
            }
        }
    }
    if let Some(named) = named {
        let place = checkout.inside(Path::new(named)).map_err(one)?;
        // What is no task definition is complained of where the run is put together.
        if let Some(own) = files::task_definition(Path::new(named)).ok().filter(has_roles) {
            pairs.push((own, base.document(&place).await?));
        }
    }
    let findings: Vec<Finding> = pairs
        .iter()
        .flat_map(|(own, twin)| roles_beyond(own, twin.as_ref()))
        .collect();
    if findings.is_empty() { Ok(()) } else { Err(findings) }
}

/// The configuration as it is here, and as it is at the base.
struct Both {
    name: String,
    own: String,
    base: String,
    base_name: String,
}

async fn read_both(path: &Path, checkout: &Checkout, base: &BaseFiles) -> Result<Both, Vec<Finding>> {
    let one = |finding: Finding| vec![finding];
    let place = checkout.inside(path).map_err(one)?;
    let own = files::read(path).map_err(one)?;
    let text = base.text(&place).await.map_err(one)?;
    let text = text.ok_or_else(|| one(base.missing(&place)))?;
    Ok(Both {
        name: path.display().to_string(),
        own,
        base: text,
        base_name: base.name(&place),
    })
}

/// # Errors
/// What the one file names and the other does not; or that one of them cannot be understood.
fn compare(files: &Both, selection: &Selection) -> Result<(Config, Config), Vec<Finding>> {
    let which = &selection.which;
    let vars: BTreeMap<String, String> = which.vars.iter().filter_map(|var| pair(var)).map(owned).collect();
    let branch = actions::branch();
    let flags = Flags {
        vars: Some(&vars),
        environment: which.environment.as_deref(),
        branch: branch.as_deref(),
        has_cluster: which.cluster.is_some(),
        has_region: which.region.is_some(),
        has_task_definition: selection.task_definition.is_some(),
    };
    let (own, base) = (
        Reaching {
            text: &files.own,
            name: &files.name,
        },
        Reaching {
            text: &files.base,
            name: &files.base_name,
        },
    );
    // Before anything is filled in: what is wrong with a value could show it.
    let taken = own.takes_beyond(&base, &flags)?;
    if !taken.is_empty() {
        return Err(with_next_step(taken, &files.base_name));
    }
    let lookup = |name: &str| std::env::var(name).ok();
    let given = config::Given {
        lookup: &lookup,
        vars: &vars,
        environment: flags.environment,
        branch: flags.branch,
        services: &which.names(),
    };
    let read = |one: &Reaching<'_>| config::read_for(one.text, one.name, &given);
    let (own_config, base_config) = (read(&own)?, read(&base)?);
    let named = own.names_beyond(&own_config, &base_config, &chosen(&own_config, selection), &flags);
    if !named.is_empty() {
        return Err(with_next_step(named, &files.base_name));
    }
    Ok((own_config, base_config))
}

fn owned((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// Names that the file does not know are complained of where the run is put together.
fn chosen<'c>(config: &'c Config, selection: &Selection) -> Vec<&'c ServiceConfig> {
    config.select(&selection.which.names()).unwrap_or_default()
}

/// The service's task definition, and the one that it has at the base, where that is asked for.
async fn definitions(
    service: &ServiceConfig,
    twin: Option<&ServiceConfig>,
    config: &Path,
    checkout: &Checkout,
    base: &BaseFiles,
) -> Result<Option<(Document, Option<Document>)>, Vec<Finding>> {
    let folder = config.parent().unwrap_or(Path::new(""));
    let own = match &service.source {
        Some(TaskDefinitionSource::File { path, location }) => {
            let path = folder.join(path);
            checkout
                .inside(&path)
                .map_err(|finding| vec![finding.at(location.clone())])?;
            files::task_definition(&path).ok()
        }
        Some(TaskDefinitionSource::Inline(value)) => Some(inline(value, service)),
        _ => None,
    };
    let Some(own) = own.filter(has_roles) else {
        return Ok(None);
    };
    let twin = match twin.and_then(|twin| twin.source.as_ref()) {
        Some(TaskDefinitionSource::File { path, .. }) => {
            let place = checkout.inside(&folder.join(path)).map_err(|finding| vec![finding])?;
            base.document(&place).await?
        }
        Some(TaskDefinitionSource::Inline(value)) => Some(inline(value, service)),
        _ => None,
    };
    Ok(Some((own, twin)))
}

fn inline(value: &serde_json::Value, service: &ServiceConfig) -> Document {
    Document::from_value(value.clone(), &service.location.file)
}

fn role<'d>(document: &'d Document, key: &str) -> Option<&'d str> {
    document.value().get(key)?.as_str().filter(|role| !role.is_empty())
}

fn has_roles(document: &Document) -> bool {
    ROLES.iter().any(|key| role(document, key).is_some())
}

fn roles_beyond(own: &Document, base: Option<&Document>) -> Vec<Finding> {
    let beyond = ROLES.iter().filter_map(|key| {
        let named = role(own, key)?;
        if base.and_then(|base| role(base, key)) == Some(named) {
            return None;
        }
        let origin = own.origin();
        let summary = format!("`{key}` of {origin} names `{named}`, and that of the base branch does not");
        let finding = Finding::error(Code::TrustBase, summary).hint(NEXT_STEP);
        Some(match own.location(&[Step::Key((*key).to_owned())]) {
            Some(place) => finding.at(place),
            None => finding,
        })
    });
    beyond.collect()
}

const NEXT_STEP: &str = "merge what the file is to name first, in a pull request that its owners have read";

fn with_next_step(findings: Vec<Finding>, base: &str) -> Vec<Finding> {
    let said = findings
        .into_iter()
        .map(|finding| finding.evidence("base", base).hint(NEXT_STEP));
    said.collect()
}

fn unknown_base() -> Finding {
    Finding::error(
        Code::TrustBase,
        "--trust-base: the event of this run names no commit of a base branch",
    )
    .hint("use it in workflows for pull_request, pull_request_target, merge_group, workflow_run or issue_comment")
}

/// The files of the base branch's commit.
struct BaseFiles {
    client: Client<SystemClock>,
    commit: String,
}

impl BaseFiles {
    fn open(commit: String, telling: &Telling) -> Result<Self, Finding> {
        let cannot = |why: String| {
            Finding::error(
                Code::TrustBase,
                format!("--trust-base: the base's files cannot be read: {why}"),
            )
        };
        let context = actions::context().ok_or_else(|| cannot("no GitHub repository is known".into()))?;
        let token = telling.token().ok_or_else(|| {
            cannot("there is no token for GitHub's API".into())
                .hint("pass --github-token, or set GITHUB_TOKEN: ${{ github.token }}; it needs `contents: read`")
        })?;
        let client = Client::open(&context, &token, SystemClock).map_err(|finding| cannot(finding.summary))?;
        client.give_up_at(SystemClock.now() + BASE_WITHIN);
        Ok(Self { client, commit })
    }

    /// What messages call it.
    fn name(&self, place: &str) -> String {
        let short: String = self.commit.chars().take(7).collect();
        format!("{place}@{short}")
    }

    async fn text(&self, place: &str) -> Result<Option<String>, Finding> {
        self.client.file_at(place, &self.commit).await.map_err(|error| {
            Finding::error(
                Code::TrustBase,
                format!("--trust-base: {} cannot be read from GitHub", self.name(place)),
            )
            .evidence("answer", error.message)
            .hint("give the job `permissions: contents: read`, or run it again where GitHub did not answer")
        })
    }

    async fn document(&self, place: &str) -> Result<Option<Document>, Vec<Finding>> {
        let Some(text) = self.text(place).await.map_err(|finding| vec![finding])? else {
            return Ok(None);
        };
        Document::read(&text, &self.name(place), Format::of(place)).map(Some)
    }

    fn missing(&self, place: &str) -> Finding {
        let name = self.name(place);
        Finding::error(
            Code::TrustBase,
            format!("--trust-base: the base branch has no file {name}"),
        )
        .hint("merge the file to the base branch first; where it is there, give the job `permissions: contents: read`")
    }
}

/// The folder that the repository is checked out in.
struct Checkout {
    root: PathBuf,
    here: PathBuf,
}

impl Checkout {
    fn here() -> Result<Self, Finding> {
        let cannot = |error: std::io::Error| {
            Finding::error(
                Code::TrustBase,
                format!("--trust-base: the working folder cannot be read: {error}"),
            )
        };
        let here = std::env::current_dir()
            .and_then(|folder| folder.canonicalize())
            .map_err(cannot)?;
        let workspace = actions::workspace().and_then(|folder| folder.canonicalize().ok());
        let is_root = |folder: &&Path| folder.join(".git").exists() || workspace.as_deref() == Some(folder);
        // The action has entered it already, and a link to another folder would be followed unseen.
        let entered = workspace.as_deref().zip(actions::working_directory());
        if let Some(named) = entered.and_then(|(workspace, folder)| plain(&workspace.join(folder)))
            && named.canonicalize().is_ok_and(|real| real != named)
        {
            let summary = "--trust-base: a symbolic link is on the way to the input `working-directory`";
            return Err(Finding::error(Code::TrustBase, summary).hint("name the folder itself"));
        }
        let root = here.ancestors().find(is_root).unwrap_or(&here).to_owned();
        Ok(Self { root, here })
    }

    /// The file's path in the repository. Whoever can change the files can make links of them: one that leads elsewhere
    /// would be another file than the one that the base has under this name, or one of the runner's own.
    fn inside(&self, path: &Path) -> Result<String, Finding> {
        let refused = |why: &str| {
            let summary = format!("--trust-base: {} is not read: {why}", path.display());
            Finding::error(Code::TrustBase, summary)
                .hint("name a file of the repository, without links on the way to it")
        };
        let plain = plain(&self.here.join(path)).ok_or_else(|| refused("it is outside of the checkout"))?;
        let within = plain
            .strip_prefix(&self.root)
            .map_err(|_| refused("it is outside of the checkout"))?;
        let steps: Vec<String> = within.iter().map(|step| step.to_string_lossy().into_owned()).collect();
        if steps.iter().any(|step| step.eq_ignore_ascii_case(".git")) {
            return Err(refused("it is one of git's own"));
        }
        match plain.canonicalize() {
            Ok(real) if real != plain => Err(refused("a symbolic link is on the way to it")),
            Ok(real) if !real.is_file() => Err(refused("it is no regular file")),
            // A file that is not there is complained of by whoever wants to read it.
            _ => Ok(steps.join("/")),
        }
    }
}

/// Without `.` and `..`, and without asking what is a link. `None` where it leads out of everything.
fn plain(path: &Path) -> Option<PathBuf> {
    let mut plain = PathBuf::new();
    for step in path.components() {
        match step {
            Component::CurDir => {}
            Component::ParentDir => {
                if !plain.pop() {
                    return None;
                }
            }
            step => plain.push(step),
        }
    }
    Some(plain)
}
