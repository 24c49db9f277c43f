//! Typed reading of the tree. Every complaint has a path and a place, and one run collects all of them.

use portzero_core::base::finding::{Code, Finding, Location};
use portzero_core::base::position::Position;
use portzero_core::base::text::nearest;

use super::tree::{Entry, Node, Value};

/// What is wrong with a file, and what is only worth saying.
pub(super) struct Problems {
    file: String,
    pub errors: Vec<Finding>,
    pub warnings: Vec<Finding>,
    /// (path, place) of keys that are known and not acted on: they become one warning.
    ignored: Vec<(String, Position)>,
    /// Why keys are not acted on that usually are.
    because: Vec<String>,
}

impl Problems {
    pub(super) fn of(file: &str) -> Self {
        Self {
            file: file.to_owned(),
            errors: Vec::new(),
            warnings: Vec::new(),
            ignored: Vec::new(),
            because: Vec::new(),
        }
    }

    pub(super) fn locate(&self, place: Position) -> Location {
        place.in_file(&self.file)
    }

    pub(super) fn error(&mut self, code: Code, place: Position, summary: impl Into<String>) {
        self.errors
            .push(Finding::error(code, summary).at(place.in_file(&self.file)));
    }

    /// Notes a key that is acted on elsewhere.
    pub(super) fn ignore(&mut self, item: &Item<'_>, why: &str) {
        self.ignored.push((item.path.clone(), item.place()));
        self.because.push(format!("{}: {why}", item.path));
    }

    /// The warning that names every ignored key.
    pub(super) fn warn_of_ignored(&mut self) {
        let Some((_, first)) = self.ignored.first() else {
            return;
        };
        let keys: Vec<&str> = self.ignored.iter().map(|(path, _)| path.as_str()).collect();
        let summary = match keys.as_slice() {
            [one] => format!("`{one}` is known and not acted on"),
            many => format!("{} keys are known and not acted on", many.len()),
        };
        let finding = Finding::warning(Code::IgnoredKey, summary)
            .at(first.in_file(&self.file))
            .evidence("keys", keys.join(", "));
        let because = self.because.iter();
        self.warnings
            .push(because.fold(finding, |finding, why| finding.evidence("because", why.clone())));
    }
}

/// A value and the path to it: `services[0].containers[1].cpu`.
#[derive(Clone)]
pub(super) struct Item<'a> {
    pub node: &'a Node,
    pub path: String,
    /// An environment entry or a label: its value is never shown.
    is_secret: bool,
}

impl<'a> Item<'a> {
    pub(super) fn root(node: &'a Node) -> Self {
        Self {
            node,
            path: String::new(),
            is_secret: false,
        }
    }

    pub(super) fn secret(mut self) -> Self {
        self.is_secret = true;
        self
    }

    /// The same item with another value in it.
    pub(super) fn at<'b>(&self, node: &'b Node) -> Item<'b> {
        Item {
            node,
            path: self.path.clone(),
            is_secret: self.is_secret,
        }
    }

    pub(super) fn place(&self) -> Position {
        self.node.place
    }

    /// Complains of the value: `path: expected …, got …`.
    pub(super) fn expected(&self, what: &str, problems: &mut Problems) {
        let summary = match self.path.as_str() {
            "" => format!("expected {what}, got {}", self.node.shown()),
            // Behind the name of a secret nothing may stand that could be its value.
            path if self.is_secret => {
                let got = match &self.node.value {
                    Value::Plain(_) | Value::Text(_) => "another one",
                    Value::List(_) => "a list",
                    Value::Map(_) => "a map",
                    Value::Null => "nothing",
                };
                format!("expected {what} and got {got} at `{path}`")
            }
            path => format!("{path}: expected {what}, got {}", self.node.shown()),
        };
        let finding = Finding::error(Code::WrongType, summary).at(problems.locate(self.place()));
        problems.errors.push(match self.way_out(what) {
            Some(hint) => finding.hint(hint),
            None => finding,
        });
    }

    /// What to write, where other files of this kind are written otherwise.
    fn way_out(&self, what: &str) -> Option<&'static str> {
        let is_text = matches!(self.node.value, Value::Plain(_) | Value::Text(_));
        Some(match (self.path.as_str(), what) {
            ("", "a map") if self.is_list() => {
                "a configuration begins with `version: 1` and has this list below `services:`"
            }
            ("", "a map") => {
                "a configuration begins with `version: 1` and `services:`; docs/configuration.md has its keys"
            }
            ("services", "a list") if self.is_map() => "begin each service with `- name: NAME`",
            ("version", _) => "the version of portzero.yml is 1: `version: 1`",
            (path, "a map") if path.ends_with(".images") => "write CONTAINER: IMAGE",
            (_, "a list") if is_text => "put it in brackets, or below its key with a `- ` before it",
            _ => return None,
        })
    }

    pub(super) fn invalid(&self, why: &str, problems: &mut Problems) {
        problems.error(Code::InvalidValue, self.place(), format!("{}: {why}", self.path));
    }

    /// The text of a scalar, as it is written: `1.10` and `true` are texts where one is wanted.
    pub(super) fn text(&self, problems: &mut Problems) -> Option<&'a str> {
        match &self.node.value {
            Value::Text(text) | Value::Plain(text) => Some(text),
            _ => {
                self.expected("text", problems);
                None
            }
        }
    }

    /// A text with something in it.
    pub(super) fn name(&self, problems: &mut Problems) -> Option<&'a str> {
        let text = self.text(problems)?;
        if text.trim().is_empty() {
            self.invalid("it is empty", problems);
            return None;
        }
        Some(text)
    }

    /// A whole number, plain or in quotes (a variable's value is text).
    pub(super) fn whole(&self, most: u32, problems: &mut Problems) -> Option<u32> {
        let number = match &self.node.value {
            Value::Text(text) | Value::Plain(text) if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok(),
            _ => None,
        };
        match number {
            Some(number) if number <= most => Some(number),
            Some(_) => {
                self.expected(&format!("a whole number up to {most}"), problems);
                None
            }
            None => {
                self.expected("a whole number", problems);
                None
            }
        }
    }

    pub(super) fn boolean(&self, problems: &mut Problems) -> Option<bool> {
        match &self.node.value {
            Value::Plain(text) | Value::Text(text) if text.eq_ignore_ascii_case("true") => Some(true),
            Value::Plain(text) | Value::Text(text) if text.eq_ignore_ascii_case("false") => Some(false),
            _ => {
                self.expected("true or false", problems);
                None
            }
        }
    }

    /// A word that parses, with the parser's own complaint where it does not.
    pub(super) fn word<T, E: std::fmt::Display>(
        &self,
        parse: impl Fn(&str) -> Result<T, E>,
        problems: &mut Problems,
    ) -> Option<T> {
        match parse(self.text(problems)?) {
            Ok(word) => Some(word),
            Err(_) if self.node.written.is_some() => {
                self.invalid(
                    &format!("{} is filled with something that is not right here", self.node.shown()),
                    problems,
                );
                None
            }
            Err(complaint) => {
                self.invalid(&complaint.to_string(), problems);
                None
            }
        }
    }

    pub(super) fn list(&self, problems: &mut Problems) -> Vec<Item<'a>> {
        match &self.node.value {
            Value::List(nodes) => nodes
                .iter()
                .enumerate()
                .map(|(index, node)| Item {
                    node,
                    path: format!("{}[{index}]", self.path),
                    is_secret: self.is_secret,
                })
                .collect(),
            _ => {
                self.expected("a list", problems);
                Vec::new()
            }
        }
    }

    pub(super) fn texts(&self, problems: &mut Problems) -> Vec<String> {
        let items = self.list(problems);
        items
            .iter()
            .filter_map(|item| item.text(problems).map(str::to_owned))
            .collect()
    }

    pub(super) fn map(&self, problems: &mut Problems) -> Option<Fields<'a>> {
        match &self.node.value {
            Value::Map(entries) => Some(Fields {
                entries,
                place: self.place(),
                path: self.path.clone(),
                is_secret: self.is_secret,
            }),
            _ => {
                self.expected("a map", problems);
                None
            }
        }
    }

    pub(super) fn is_map(&self) -> bool {
        matches!(self.node.value, Value::Map(_))
    }

    pub(super) fn is_list(&self) -> bool {
        matches!(self.node.value, Value::List(_))
    }
}

/// The entries of one map.
pub(super) struct Fields<'a> {
    entries: &'a [Entry],
    pub place: Position,
    pub path: String,
    is_secret: bool,
}

impl<'a> Fields<'a> {
    /// The value of `key`. A key without a value (`ports:`) counts as absent, as everybody's reader has it.
    pub(super) fn get(&self, key: &str) -> Option<Item<'a>> {
        self.items()
            .find(|(k, item)| *k == key && item.node.value != Value::Null)
            .map(|(_, item)| item)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    pub(super) fn require(&self, key: &str, problems: &mut Problems) -> Option<Item<'a>> {
        let found = self.get(key);
        if found.is_none() {
            let within = match self.path.as_str() {
                "" => String::new(),
                path => format!("{path}: "),
            };
            problems.error(Code::MissingKey, self.place, format!("{within}`{key}` is missing"));
        }
        found
    }

    pub(super) fn items(&self) -> impl Iterator<Item = (&'a str, Item<'a>)> + '_ {
        self.entries.iter().map(|entry| {
            let item = Item {
                node: &entry.value,
                path: self.path_of(&entry.key),
                is_secret: self.is_secret,
            };
            (entry.key.as_str(), item)
        })
    }

    /// Complains of keys that are neither in `known` nor in `ignored`, and notes the ignored ones.
    pub(super) fn check_keys(&self, known: &[&str], ignored: &[&str], problems: &mut Problems) {
        for entry in self.entries {
            let key = entry.key.as_str();
            let path = self.path_of(key);
            if ignored.contains(&key) {
                problems.ignored.push((path, entry.key_place));
                continue;
            }
            // `x-…` at the top holds anchors, as in docker-compose's files.
            let is_extension = self.path.is_empty() && key.starts_with("x-");
            if !known.contains(&key) && !is_extension {
                let summary = match self.path.as_str() {
                    "" => format!("unknown key `{key}`"),
                    path => format!("{path}: unknown key `{key}`"),
                };
                let finding = Finding::error(Code::UnknownKey, summary).at(entry.key_place.in_file(&problems.file));
                problems
                    .errors
                    .push(match nearest(key, known.iter().chain(ignored).copied()) {
                        Some(near) => finding.hint(format!("did you mean `{near}`?")),
                        None => finding.evidence("known", known.join(", ")),
                    });
            }
        }
    }

    fn path_of(&self, key: &str) -> String {
        match self.path.as_str() {
            "" => key.to_owned(),
            path => format!("{path}.{key}"),
        }
    }
}
