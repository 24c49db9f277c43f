//! `${NAME}`, `${NAME:-default}` and deployfish's `${env.NAME}`, in values only and after parsing: what is put in can
//! never become YAML.

use std::collections::BTreeMap;

use portzero_core::base::finding::{Code, Finding};
use portzero_core::base::position::Position;

use super::tree::{Node, Value};

/// What all values together may grow by. A configuration is at most 256 KiB; a variable that refers to another twice
/// doubles at every step.
const GROWTH_MAX: usize = 4 * 1024 * 1024;
/// `${A:-${B:-c}}` is of use; eight of them inside each other are not.
const NESTING_MAX: usize = 8;

/// The variables of a run, and what could not be filled in.
pub(super) struct Variables<'a> {
    given: &'a BTreeMap<String, String>,
    /// `vars:` of the file with the chosen environment's over them. `Err`: the variables that it lacks in
    /// turn, which are told of where it is used.
    of_file: BTreeMap<String, Result<String, Vec<String>>>,
    lookup: &'a dyn Fn(&str) -> Option<String>,
    /// deployfish knows no escape, so there `$$` stays as it is, but in front of a brace.
    is_deployfish: bool,
    left: usize,
    missing: Vec<(String, Position)>,
    refused: Vec<(String, Position)>,
}

impl<'a> Variables<'a> {
    pub(super) fn new(
        given: &'a BTreeMap<String, String>,
        lookup: &'a dyn Fn(&str) -> Option<String>,
        is_deployfish: bool,
    ) -> Self {
        Self {
            given,
            of_file: BTreeMap::new(),
            lookup,
            is_deployfish,
            left: GROWTH_MAX,
            missing: Vec::new(),
            refused: Vec::new(),
        }
    }

    /// Adds one of the file's variables, over one of the same name. It may use those that were added before it.
    pub(super) fn add(&mut self, name: &str, text: &str, place: Position) {
        let known_missing = self.missing.len();
        let value = self.fill(text, place, 0);
        // Somebody may well set TAG by hand because what TAG is made of is not there.
        let missing: Vec<String> = self.missing.drain(known_missing..).map(|(name, _)| name).collect();
        let value = if missing.is_empty() { Ok(value) } else { Err(missing) };
        self.of_file.insert(name.to_owned(), value);
    }

    /// Fills every text under `node`.
    pub(super) fn fill_node(&mut self, node: &mut Node) {
        match &mut node.value {
            Value::Text(text) if text.contains('$') => {
                let filled = self.fill(text, node.place, 0);
                if filled != *text {
                    node.written = Some(std::mem::replace(text, filled));
                }
            }
            Value::List(items) => items.iter_mut().for_each(|item| self.fill_node(item)),
            Value::Map(_) => self.fill_map(node, &[]),
            _ => {}
        }
    }

    /// Fills the values of a map, but those of the keys in `skipped`, which nobody reads.
    pub(super) fn fill_map(&mut self, node: &mut Node, skipped: &[&str]) {
        if let Value::Map(entries) = &mut node.value {
            entries
                .iter_mut()
                .filter(|entry| !skipped.contains(&entry.key.as_str()))
                .for_each(|entry| self.fill_node(&mut entry.value));
        }
    }

    /// Fills something that nobody needs: what it lacks is no mistake, and only answered.
    pub(super) fn tried(&mut self, fill: impl FnOnce(&mut Self)) -> bool {
        let (missing, refused) = (self.missing.len(), self.refused.len());
        fill(self);
        let lacks = self.missing.len() > missing || self.refused.len() > refused;
        self.missing.truncate(missing);
        self.refused.truncate(refused);
        lacks
    }

    /// Whether anything could not be filled in.
    pub(super) fn lack(&self) -> bool {
        !self.missing.is_empty() || !self.refused.is_empty()
    }

    /// The variables that have no value, once each time that they are used.
    pub(super) fn missing_names(&self) -> Vec<&str> {
        self.missing.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// One finding for all that is missing, and one for each reference that cannot be read.
    pub(super) fn findings(&self, file: &str) -> Vec<Finding> {
        let mut findings: Vec<Finding> = self
            .refused
            .iter()
            .map(|(said, place)| Finding::error(Code::Config, said.clone()).at(place.in_file(file)))
            .collect();
        let Some((first, place)) = self.missing.first() else {
            return findings;
        };
        let mut names: Vec<&str> = Vec::new();
        for (name, _) in &self.missing {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        let summary = match names.as_slice() {
            [one] => format!("the variable {one} has no value"),
            many => format!("{} variables have no value: {}", many.len(), many.join(", ")),
        };
        let mut finding = Finding::error(Code::MissingVariable, summary)
            .at(place.in_file(file))
            .hint(format!(
                "set it in the environment, with `--var {first}=…` or under `vars:`, or write `${{{first}:-DEFAULT}}`"
            ));
        for (name, place) in &self.missing {
            finding = finding.evidence(name.as_str(), place.in_file(file).to_string());
        }
        findings.push(finding);
        findings
    }

    fn fill(&mut self, text: &str, place: Position, nesting: usize) -> String {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            filled.push_str(before);
            if let Some(after) = after.strip_prefix("${") {
                filled.push_str("${");
                rest = after;
            } else if let Some(after) = after.strip_prefix('$') {
                filled.push_str(if self.is_deployfish { "$$" } else { "$" });
                rest = after;
            } else if let Some(inside) = after.strip_prefix('{') {
                let Some(end) = closing_brace(inside) else {
                    self.refuse("`${` is not closed; write `$${` for the text itself", place);
                    return filled;
                };
                let value = self.reference(&inside[..end], place, nesting);
                filled.push_str(&value);
                rest = &inside[end + 1..];
            } else {
                filled.push('$');
                rest = after;
            }
        }
        filled.push_str(rest);
        filled
    }

    /// The value of what stands between the braces; empty where there is none, which has then been noted.
    fn reference(&mut self, inside: &str, place: Position, nesting: usize) -> String {
        if inside.starts_with("terraform.") {
            let said = "`${terraform.…}` would be read from Terraform's state, which portzero does not open; write the value \
                        in its place, or `${NAME}` and pass it with `--var NAME=…` from `terraform output -raw`";
            self.refuse(said, place);
            return String::new();
        }
        let (name, default) = match inside.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (inside, None),
        };
        let name = match name.strip_prefix("env.") {
            Some(name) => name.to_ascii_uppercase().replace('-', "_"),
            None => name.to_owned(),
        };
        if !is_name(&name) {
            // What stands there may be half of somebody's password, so it is not repeated.
            let said = "`${` begins no reference here: `${NAME}` and `${NAME:-default}` are; write `$${` for the text \
                        itself";
            self.refuse(said, place);
            return String::new();
        }
        match (self.value(&name), default) {
            // As in a shell, `:-` also stands in for an empty value.
            (Ok(value), Some(default)) if value.is_empty() => self.default(default, place, nesting),
            (Ok(value), _) => self.spend(value, place),
            (Err(_), Some(default)) => self.default(default, place, nesting),
            (Err(missing), None) => {
                self.missing.extend(missing.into_iter().map(|name| (name, place)));
                String::new()
            }
        }
    }

    /// The value, or the names of the variables that it lacks.
    fn value(&self, name: &str) -> Result<String, Vec<String>> {
        if let Some(value) = self.given.get(name) {
            return Ok(value.clone());
        }
        match self.of_file.get(name) {
            Some(value) => value.clone(),
            None => (self.lookup)(name).ok_or_else(|| vec![name.to_owned()]),
        }
    }

    fn default(&mut self, text: &str, place: Position, nesting: usize) -> String {
        if nesting == NESTING_MAX {
            self.refuse(format!("defaults are nested more than {NESTING_MAX} deep"), place);
            return String::new();
        }
        self.fill(text, place, nesting + 1)
    }

    fn spend(&mut self, value: String, place: Position) -> String {
        match self.left.checked_sub(value.len()) {
            Some(left) => {
                self.left = left;
                value
            }
            None => {
                self.refuse("the variables make the configuration larger than 4 MiB", place);
                String::new()
            }
        }
    }

    fn refuse(&mut self, said: impl Into<String>, place: Position) {
        let refusal = (said.into(), place);
        if !self.refused.contains(&refusal) {
            self.refused.push(refusal);
        }
    }
}

/// Where the brace closes that was opened before `text`.
fn closing_brace(text: &str) -> Option<usize> {
    let mut open = 0_usize;
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        match c {
            '{' if before == '$' => open += 1,
            '}' if open == 0 => return Some(at),
            '}' => open -= 1,
            _ => {}
        }
        before = c;
    }
    None
}

fn is_name(text: &str) -> bool {
    !text.starts_with(|c: char| c.is_ascii_digit())
        && !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> (String, Vec<String>) {
        let given = BTreeMap::from([("TAG".to_owned(), "by-hand".to_owned())]);
        let lookup = |name: &str| match name {
            "EMPTY" => Some(String::new()),
            "GREETING" => Some("a: ${TAG} # b".to_owned()),
            "TAG" => Some("from-environment".to_owned()),
            _ => None,
        };
        let mut variables = Variables::new(&given, &lookup, false);
        let filled = variables.fill(text, Position::default(), 0);
        let wrong = variables.missing.iter().chain(&variables.refused);
        (filled, wrong.map(|(said, _)| said.clone()).collect())
    }

    #[test]
    fn references_are_filled_once_and_text_stays() {
        for (text, wanted) in [
            ("web:${TAG}", "web:by-hand"),
            ("${NONE:-a}${EMPTY:-b}[${EMPTY}]", "ab[]"),
            ("${NONE:-${ALSO_NONE:-x}y}z", "xyz"),
            ("${GREETING}", "a: ${TAG} # b"),
            ("$$ $HOME $${TAG} $", "$ $HOME ${TAG} $"),
            ("${env.tag}", "by-hand"),
            ("é${NONE:-ü}", "éü"),
        ] {
            assert_eq!(filled(text), (wanted.to_owned(), vec![]), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_filled_is_named() {
        assert_eq!(filled("${A}${B}").1, ["A", "B"]);
        for text in ["${", "${TAG", "${}", "${A-b}", "${A:?b}", "${1}", "${terraform.arn}"] {
            assert_eq!(filled(text).1.len(), 1, "{text}");
        }
    }

    #[test]
    fn variables_that_double_one_another_end_in_a_message() {
        let given = BTreeMap::new();
        let mut variables = Variables::new(&given, &|_| None, false);
        variables.add("V0", "0123456789", Position::default());
        for n in 1..64 {
            let twice = format!("${{V{}}}${{V{}}}", n - 1, n - 1);
            variables.add(&format!("V{n}"), &twice, Position::default());
        }
        assert!(!variables.findings("f").is_empty());
    }
}
