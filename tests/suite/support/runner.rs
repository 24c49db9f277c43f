//! GitHub's runner as far as a composite action sees it: inputs become the environment of the step, the step is a script
//! of bash, outputs come back in a file, and whoever cancels the run signals the first process of the step and no other.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use serde_yaml::Value;
use tempfile::TempDir;

use super::command::scrubbed;
use super::program::{Said, send};

/// No step of a test takes this long: one that does hangs.
const STEP_MAX: Duration = Duration::from_secs(60);

/// An `action.yml`.
pub struct Composite {
    folder: PathBuf,
    text: Value,
}

impl Composite {
    /// The action in this repository.
    pub fn ours() -> Self {
        Self::read(Path::new(env!("CARGO_MANIFEST_DIR")))
    }

    pub fn read(folder: &Path) -> Self {
        let text = fs::read_to_string(folder.join("action.yml")).expect("action.yml");
        let action = Self {
            folder: folder.to_owned(),
            text: serde_yaml::from_str(&text).expect("YAML"),
        };
        assert_eq!(action.text["runs"]["using"], "composite");
        assert_eq!(action.text["runs"]["steps"].as_sequence().map(Vec::len), Some(1));
        assert_eq!(action.step()["shell"], "bash");
        action
    }

    fn step(&self) -> &Value {
        &self.text["runs"]["steps"][0]
    }

    /// Names and defaults.
    pub fn inputs(&self) -> BTreeMap<String, String> {
        let default = |input: &Value| input["default"].as_str().expect("a default in quotes").to_owned();
        entries(&self.text["inputs"])
            .map(|(name, input)| (name, default(input)))
            .collect()
    }

    /// Names, and the output of the step that each is.
    pub fn outputs(&self) -> BTreeMap<String, String> {
        let source = |output: &Value| {
            let value = expression(output["value"].as_str().expect("a value")).expect("an expression");
            let path = format!("steps.{}.outputs.", self.step()["id"].as_str().expect("an id"));
            value
                .strip_prefix(&path)
                .unwrap_or_else(|| panic!("{value} is no {path}"))
                .to_owned()
        };
        entries(&self.text["outputs"])
            .map(|(name, output)| (name, source(output)))
            .collect()
    }

    /// The variables of the step, as they are written.
    pub fn environment(&self) -> BTreeMap<String, String> {
        entries(&self.step()["env"])
            .map(|(name, value)| (name, value.as_str().expect("text").to_owned()))
            .collect()
    }

    /// The step's script. An expression in it would be code made of data.
    fn script(&self) -> &str {
        let script = self.step()["run"].as_str().expect("a script");
        assert!(!script.contains("${{"), "an expression in `run:`: {script}");
        script
    }

    /// The variables as the runner sets them. Only inputs and the token are known here: anything else would differ
    /// between runners.
    fn resolved(&self, with: &BTreeMap<String, String>, token: &str) -> Vec<(String, String)> {
        let inputs = self.inputs();
        if let Some(unknown) = with.keys().find(|name| !inputs.contains_key(*name)) {
            panic!("Unexpected input '{unknown}'");
        }
        let evaluate = |text: &str| match expression(text) {
            None if text.contains("${{") => panic!("an expression in the middle of a text: {text}"),
            None => text.to_owned(),
            Some("github.token") => token.to_owned(),
            Some(path) => {
                let name = path.strip_prefix("inputs.").unwrap_or_else(|| panic!("{path}"));
                let default = inputs
                    .get(name)
                    .unwrap_or_else(|| panic!("no input `{name}` is declared"));
                let default = expression(default).map_or(default.as_str(), |_| token);
                with.get(name).map_or(default, String::as_str).to_owned()
            }
        };
        let environment = self.environment().into_iter();
        environment.map(|(name, text)| (name, evaluate(&text))).collect()
    }
}

/// `${{ path }}` -> `path`.
pub fn expression(text: &str) -> Option<&str> {
    Some(text.strip_prefix("${{")?.strip_suffix("}}")?.trim())
}

fn entries(map: &Value) -> impl Iterator<Item = (String, &Value)> {
    let map = map.as_mapping().expect("a map");
    map.iter()
        .map(|(name, value)| (name.as_str().expect("a name").to_owned(), value))
}

/// A job with the action as its only step.
pub struct Job {
    /// `workspace`, `temp`, `tools`, and the files of the step.
    pub folder: TempDir,
    with: BTreeMap<String, String>,
    variables: Vec<(String, String)>,
}

impl Default for Job {
    fn default() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["workspace", "temp", "tools", "home"] {
            fs::create_dir(folder.path().join(name)).expect("a folder");
        }
        for name in ["output", "summary", "env", "path", "state"] {
            fs::write(folder.path().join(name), "").expect("a file");
        }
        fs::write(folder.path().join("event.json"), r#"{"repository":{"private":true}}"#).expect("a file");
        Self {
            folder,
            with: BTreeMap::new(),
            variables: Vec::new(),
        }
    }
}

impl Job {
    /// With an input of the step.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.with.insert(name.into(), value.into());
        self
    }

    /// With a variable of the job.
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Puts a file into the workspace.
    pub fn file(self, name: &str, text: &str) -> Self {
        let path = self.path("workspace").join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
        self
    }

    pub fn run(&self, action: &Composite) -> Ended {
        self.start(action).end(STEP_MAX)
    }

    pub fn start(&self, action: &Composite) -> Running<'_> {
        let script = self.path("temp").join("0b7e.sh");
        fs::write(&script, action.script()).expect("a script");
        let mut command = scrubbed("bash");
        command
            .args(["--noprofile", "--norc", "-e", "-o", "pipefail"])
            .arg(script);
        command
            .current_dir(self.path("workspace"))
            .env("HOME", self.path("home"))
            .envs(self.context(action))
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .envs(action.resolved(&self.with, "ghs_token"))
            .process_group(0)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("bash runs");
        let (sender, lines) = channel();
        read_lines(Stream::Out, child.stdout.take().expect("a pipe"), sender.clone());
        read_lines(Stream::Err, child.stderr.take().expect("a pipe"), sender);
        Running {
            job: self,
            outputs: action.outputs(),
            child,
            lines,
            seen: Vec::new(),
        }
    }

    /// What every step is told. Nobody answers at GitHub's address.
    fn context(&self, action: &Composite) -> Vec<(String, String)> {
        let path = |name: &str| self.path(name).display().to_string();
        [
            ("CI", "true".into()),
            ("GITHUB_ACTIONS", "true".into()),
            ("GITHUB_ACTION_PATH", action.folder.display().to_string()),
            ("GITHUB_API_URL", "http://127.0.0.1:1".into()),
            ("GITHUB_ENV", path("env")),
            ("GITHUB_EVENT_NAME", "push".into()),
            ("GITHUB_EVENT_PATH", path("event.json")),
            ("GITHUB_GRAPHQL_URL", "http://127.0.0.1:1/graphql".into()),
            ("GITHUB_OUTPUT", path("output")),
            ("GITHUB_PATH", path("path")),
            ("GITHUB_REF", "refs/heads/main".into()),
            ("GITHUB_REF_NAME", "main".into()),
            ("GITHUB_REF_TYPE", "branch".into()),
            ("GITHUB_REPOSITORY", "shop/web".into()),
            ("GITHUB_RUN_ATTEMPT", "1".into()),
            ("GITHUB_RUN_ID", "1234".into()),
            ("GITHUB_SERVER_URL", "https://github.com".into()),
            ("GITHUB_SHA", "0f00000000000000000000000000000000000001".into()),
            ("GITHUB_STATE", path("state")),
            ("GITHUB_STEP_SUMMARY", path("summary")),
            ("GITHUB_WORKSPACE", path("workspace")),
            ("RUNNER_TEMP", path("temp")),
            ("RUNNER_TOOL_CACHE", path("tools")),
            ("AWS_EC2_METADATA_DISABLED", "true".into()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Stream {
    Out,
    Err,
}

fn read_lines(stream: Stream, pipe: impl Read + Send + 'static, to: Sender<(Stream, String)>) {
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            let _ = to.send((stream, line));
        }
    });
}

/// A step that has begun.
pub struct Running<'j> {
    job: &'j Job,
    outputs: BTreeMap<String, String>,
    child: Child,
    lines: Receiver<(Stream, String)>,
    seen: Vec<(Stream, String)>,
}

impl Running<'_> {
    /// Reads on until a line has these words.
    pub fn wait_for(&mut self, words: &str) {
        let deadline = Instant::now() + STEP_MAX;
        while self.next(deadline) {
            if self.seen.last().is_some_and(|(_, line)| line.contains(words)) {
                return;
            }
        }
        panic!("it ended without `{words}`: {:#?}", self.seen);
    }

    /// What the runner does first where a run is cancelled: the entry process is signalled, and not its children.
    pub fn cancel(&self) {
        send("INT", &self.child);
    }

    /// The end, which must come within that time: of the process, and of whoever holds its streams.
    pub fn end(mut self, within: Duration) -> Ended {
        let deadline = Instant::now() + within;
        while self.next(deadline) {}
        let code = self.child.wait().expect("an end").code();
        let text = |of: Stream| -> String {
            let lines = self.seen.iter().filter(|(stream, _)| *stream == of);
            lines.map(|(_, line)| format!("{line}\n")).collect()
        };
        let file = |name: &str| fs::read_to_string(self.job.path(name)).expect("a file of the step");
        for name in ["env", "path"] {
            assert_eq!(file(name), "", "the step changes the {name} of later steps");
        }
        let told = file_command(&file("output"));
        let undeclared: Vec<&String> = told
            .keys()
            .filter(|key| !self.outputs.values().any(|o| o == *key))
            .collect();
        assert!(
            undeclared.is_empty(),
            "outputs that action.yml does not declare: {undeclared:?}"
        );
        let declared = self.outputs.iter();
        Ended {
            said: Said {
                code,
                stdout: text(Stream::Out),
                stderr: text(Stream::Err),
            },
            outputs: declared
                .filter_map(|(name, source)| Some((name.clone(), told.get(source)?.clone())))
                .collect(),
            summary: file("summary"),
            annotations: self.seen.iter().filter_map(|(_, line)| annotation(line)).collect(),
        }
    }

    /// One more line; false at the end of both streams.
    fn next(&mut self, deadline: Instant) -> bool {
        match self
            .lines
            .recv_timeout(deadline.saturating_duration_since(Instant::now()))
        {
            Ok(line) => {
                self.seen.push(line);
                true
            }
            Err(RecvTimeoutError::Disconnected) => false,
            Err(RecvTimeoutError::Timeout) => {
                let group = format!("-{}", self.child.id());
                let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
                panic!("the step did not end in time: {:#?}", self.seen);
            }
        }
    }
}

/// What a step left behind.
#[derive(Debug)]
pub struct Ended {
    pub said: Said,
    pub outputs: BTreeMap<String, String>,
    pub summary: String,
    pub annotations: Vec<Annotation>,
}

impl Ended {
    /// The only annotation, which is an error.
    pub fn error(&self) -> &str {
        match self.annotations.as_slice() {
            [only] if only.level == "error" && only.title == "portzero" => &only.message,
            _ => panic!("not one error of portzero: {self:#?}"),
        }
    }
}

#[derive(Debug, PartialEq)]
pub struct Annotation {
    pub level: String,
    pub title: String,
    pub message: String,
}

/// A line as the runner reads it: after blanks `::name key=value,…::message`, or the old form anywhere in the line.
fn annotation(line: &str) -> Option<Annotation> {
    let parsed = match line.trim_start().strip_prefix("::") {
        Some(rest) => rest.split_once("::"),
        None => line.split_once("##[").and_then(|(_, rest)| rest.split_once(']')),
    };
    let (head, message) = parsed?;
    let (level, properties) = head.split_once(' ').unwrap_or((head, ""));
    let level = level.to_lowercase();
    let title = properties
        .split([',', ';'])
        .find_map(|property| property.trim().strip_prefix("title="));
    ["error", "warning", "notice"]
        .contains(&level.as_str())
        .then(|| Annotation {
            level,
            title: unescape(title.unwrap_or_default())
                .replace("%3A", ":")
                .replace("%2C", ","),
            message: unescape(message),
        })
}

fn unescape(text: &str) -> String {
    text.replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%")
}

/// GITHUB_OUTPUT as the runner reads it. A line that it does not understand fails the step.
fn file_command(text: &str) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    let mut lines = text.split('\n');
    while let Some(line) = lines.next() {
        if line.is_empty() {
            continue;
        }
        let (equals, heredoc) = (line.find('='), line.find("<<"));
        let (key, value) = match (equals, heredoc) {
            (Some(at), heredoc) if heredoc.is_none_or(|other| at < other) => (&line[..at], line[at + 1..].to_owned()),
            (_, Some(at)) => {
                let delimiter = &line[at + 2..];
                let mut value = Vec::new();
                loop {
                    match lines.next() {
                        Some(line) if line == delimiter => break,
                        Some(line) => value.push(line),
                        None => panic!("Matching delimiter not found '{delimiter}': {text}"),
                    }
                }
                (&line[..at], value.join("\n"))
            }
            _ => panic!("Invalid format '{line}'"),
        };
        assert!(!key.is_empty(), "Invalid format '{line}'");
        values.insert(key.to_owned(), value);
    }
    values
}

#[test]
fn outputs_are_read_by_the_rules_of_the_runner() {
    let read = file_command("a=b<<c\n\nd<<END\n1\n\nEN\nEND\n");
    assert_eq!(read["a"], "b<<c");
    assert_eq!(read["d"], "1\n\nEN");
    for wrong in ["a<<END\nb\n", "nothing\n", "=x\n"] {
        assert!(std::panic::catch_unwind(|| file_command(wrong)).is_err(), "{wrong}");
    }
}

#[test]
fn annotations_are_read_by_the_rules_of_the_runner() {
    let read = annotation("  ::ERROR title=a%3Ab,file=x::one%0Atwo %2525").expect("one");
    assert_eq!((read.level.as_str(), read.title.as_str()), ("error", "a:b"));
    assert_eq!(read.message, "one\ntwo %25");
    assert!(annotation("text ##[warning]old").is_some());
    assert!(annotation("text ::error::no").is_none());
    assert!(annotation("::group::no").is_none());
}
