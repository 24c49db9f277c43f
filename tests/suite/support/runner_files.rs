//! How GitHub's runner reads what a step leaves: commands in its two streams, and entries in its files. A port of
//! `ActionCommand`, `ActionCommandManager` and `EnvFileKeyValuePairs` (actions/runner 2.336.0), and knows nothing of portzero.

use std::collections::BTreeMap;

/// What the runner acts on. Names are compared without regard to case.
const REGISTERED: [&str; 15] = [
    "internal-set-repo-path",
    "set-env",
    "set-output",
    "save-state",
    "add-mask",
    "add-path",
    "add-matcher",
    "remove-matcher",
    "debug",
    "warning",
    "error",
    "notice",
    "group",
    "endgroup",
    "echo",
];
/// Not registered as an extension, but acted on before those.
const OTHERS: [&str; 2] = ["stop-commands", "pause-logging"];

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    pub name: String,
    pub properties: BTreeMap<String, String>,
    pub data: String,
}

/// All commands in a stream. .NET's reader ends a line at CR, LF and CRLF.
pub fn commands(stream: &str) -> Vec<Command> {
    let lines = || stream.split(['\r', '\n']);
    let plain = lines().filter_map(command);
    // The runner looks for its prefixes by the rules of a language, which ignore what has no width and most controls.
    let is_ignored =
        |c: &char| c.is_control() && *c != '\t' || "\u{ad}\u{200b}\u{200c}\u{200d}\u{2060}\u{feff}".contains(*c);
    let ignoring = lines()
        .filter(|line| command(line).is_none())
        .filter_map(|line| command(&line.chars().filter(|c| !is_ignored(c)).collect::<String>()));
    plain.chain(ignoring).collect()
}

pub fn command(line: &str) -> Option<Command> {
    second_form(line).or_else(|| first_form(line))
}

fn is_registered(name: &str) -> bool {
    REGISTERED
        .iter()
        .chain(&OTHERS)
        .any(|known| known.eq_ignore_ascii_case(name))
}

/// `::name key=value,key=value::data`, after `TrimStart`.
fn second_form(line: &str) -> Option<Command> {
    let message = line.trim_start().strip_prefix("::")?;
    let (information, data) = message.split_once("::")?;
    let unescaped = |text: &str| text.replace("%0D", "\r").replace("%0A", "\n");
    parse(information, ',', |value| {
        unescaped(value)
            .replace("%3A", ":")
            .replace("%2C", ",")
            .replace("%25", "%")
    })
    .map(|command| Command {
        data: unescaped(data).replace("%25", "%"),
        ..command
    })
}

/// `##[name key=value;key=value]data`, anywhere in the line.
fn first_form(line: &str) -> Option<Command> {
    let (_, message) = line.split_once("##[")?;
    let (information, data) = message.split_once(']')?;
    let unescape = |value: &str| {
        let value = value
            .replace("%3B", ";")
            .replace("%0D", "\r")
            .replace("%0A", "\n")
            .replace("%5D", "]");
        value.replace("%25", "%")
    };
    parse(information, ';', unescape).map(|command| Command {
        data: unescape(data),
        ..command
    })
}

fn parse(information: &str, separator: char, unescape: impl Fn(&str) -> String) -> Option<Command> {
    let (name, properties) = information.split_once(' ').unwrap_or((information, ""));
    if !is_registered(name) {
        return None;
    }
    let pairs = properties
        .trim()
        .split(separator)
        .filter_map(|pair| pair.split_once('='));
    Some(Command {
        name: name.to_ascii_lowercase(),
        properties: pairs.map(|(key, value)| (key.to_owned(), unescape(value))).collect(),
        data: String::new(),
    })
}

/// The entries of GITHUB_OUTPUT, as on Linux.
///
/// # Errors
/// The file is malformed, and the step fails.
pub fn entries(contents: &str) -> Result<Vec<(String, String)>, String> {
    let mut entries = Vec::new();
    let mut rest = contents;
    while let Some((line, _)) = read_line(&mut rest) {
        if line.is_empty() {
            continue;
        }
        let (equals, heredoc) = (line.find('='), line.find("<<"));
        match (equals, heredoc) {
            (equals, Some(at)) if equals.is_none_or(|equals| at < equals) => {
                let (key, delimiter) = (&line[..at], &line[at + 2..]);
                if key.is_empty() || delimiter.is_empty() {
                    return Err(format!("Invalid format '{line}'"));
                }
                entries.push((key.to_owned(), heredoc_value(&mut rest, delimiter)?));
            }
            (Some(at), _) if at > 0 => entries.push((line[..at].to_owned(), line[at + 1..].to_owned())),
            _ => return Err(format!("Invalid format '{line}'")),
        }
    }
    Ok(entries)
}

fn heredoc_value(rest: &mut &str, delimiter: &str) -> Result<String, String> {
    let start = *rest;
    let mut length = 0;
    loop {
        let consumed = start.len() - rest.len();
        let Some((line, has_end)) = read_line(rest) else {
            return Err(format!("Matching delimiter not found '{delimiter}'"));
        };
        if line == delimiter {
            return Ok(start[..length].to_owned());
        }
        if !has_end {
            return Err(format!("EOF before '{delimiter}'"));
        }
        length = consumed + line.len();
    }
}

fn read_line<'t>(rest: &mut &'t str) -> Option<(&'t str, bool)> {
    if rest.is_empty() {
        return None;
    }
    let (line, after, has_end) = match rest.split_once('\n') {
        Some((line, after)) => (line, after, true),
        None => (*rest, "", false),
    };
    *rest = after;
    Some((line, has_end))
}

#[test]
fn the_runner_obeys_both_forms_of_a_command() {
    let said =
        commands("x\n \u{3000}::Error file=a%2Cb,line=1::c%0Ad%253A\rabc ##[group a=b%3B;c=d]e\n::nope::\n##[nope]x");
    assert_eq!(said.len(), 2, "{said:?}");
    assert_eq!((said[0].name.as_str(), said[0].data.as_str()), ("error", "c\nd%3A"));
    assert_eq!(said[0].properties["file"], "a,b");
    assert_eq!(
        (said[1].name.as_str(), said[1].properties["a"].as_str()),
        ("group", "b;")
    );
    assert_eq!(commands("::stop-commands::x\n\u{feff}::set-env name=A::b").len(), 2);
}

#[test]
fn the_runner_reads_lines_and_heredocs_and_refuses_the_rest() {
    let read = entries("a=b\n\nc<<E\nd\n\ne=f\r\nE\ng<<E\nE\n").expect("entries");
    let pairs: Vec<(&str, &str)> = read.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(pairs, [("a", "b"), ("c", "d\n\ne=f\r"), ("g", "")]);
    for malformed in ["a", "a<<E\nb\n", "<<E\nE\n", "a<<\n", "a<<E\nE x\n"] {
        assert!(entries(malformed).is_err(), "{malformed}");
    }
}
