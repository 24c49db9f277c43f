//! Files that people give by mistake, and files with a slip in them: each is answered with the place, what it is or what is
//! wrong, and what to do, in no parser's words. One snapshot holds all answers of one kind of file, to be read side by side.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::support::program::{Said, portzero, said};

/// Words of serde, of the parsers and of Rust, which say nothing to who wrote the file.
const PARSERS_WORDS: [&str; 24] = [
    "EOF",
    "expected ident",
    "expected value",
    "key must be a string",
    "simple key",
    "mapping start",
    "sequence start",
    "block collection",
    "block mapping",
    "flow ",
    "scalar",
    "did not find",
    "while parsing",
    "invalid type",
    "unknown field",
    "unknown variant",
    "DuplicateKeyPolicy",
    "Option<",
    "deserialize",
    "u16",
    "u32",
    "control character (",
    "recursion limit",
    "trailing characters",
];
/// What stands in the files as the value of somebody's password.
const SECRET: &str = "hunter2";

/// A file with its kind: the beginning of its name says what it is given as.
struct Case {
    name: String,
    bytes: Vec<u8>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/bad_files")
}

fn cases(kind: &str) -> Vec<Case> {
    let files = std::fs::read_dir(folder().join("files")).expect("the files");
    let mut cases: Vec<Case> = files
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            let bytes = std::fs::read(&path).expect("a file");
            Case { name, bytes }
        })
        .chain(made())
        .filter(|case| case.name.starts_with(kind))
        .collect();
    cases.sort_by(|one, other| one.name.cmp(&other.name));
    cases
}

/// Files whose bytes a checkout or an editor would change.
fn made() -> Vec<Case> {
    let utf16 = |text: &str, mark: &[u8]| -> Vec<u8> {
        let bytes = text.encode_utf16().flat_map(u16::to_le_bytes);
        mark.iter().copied().chain(bytes).collect()
    };
    let windows = "\u{feff}{\r\n  \"family\": \"web\",\r\n  \"containerDefinitions\": [\r\n    { \"name\": \"web\", }\r\n  ]\r\n}\r\n";
    let windows_yaml = "\u{feff}version: 1\r\nservices:\r\n  - name: web\r\n    clustr: shop\r\n";
    let all: [(&str, Vec<u8>); 12] = [
        ("task-utf16.json", utf16("{\"family\": \"web\"}", b"\xFF\xFE")),
        ("task-utf16-without-mark.json", utf16("{\"family\": \"web\"}", b"")),
        ("task-latin1.json", b"{\n  \"family\": \"caf\xe9\"\n}\n".to_vec()),
        ("task-gzip.json", b"\x1f\x8b\x08\x00\x00\x00".to_vec()),
        ("task-zip.json", b"PK\x03\x04\x14\x00\x00\x00".to_vec()),
        ("task-nul.json", b"{\n  \"family\": \"we\0b\"\n}\n".to_vec()),
        ("task-windows.json", windows.into()),
        ("task-large.json", format!("[{}0]", "0,".repeat(600_000)).into()),
        ("config-utf16.yml", utf16("version: 1\n", b"\xFF\xFE")),
        ("config-picture.yml", b"\x89PNG\r\n\x1a\n".to_vec()),
        ("config-windows.yml", windows_yaml.into()),
        (
            "config-bomb.yml",
            format!("version: 1\nx-a: &a [1]\nx-b: [{}]\n", "*a, ".repeat(30_000)).into(),
        ),
    ];
    let all = all.into_iter();
    all.map(|(name, bytes)| Case {
        name: name.to_owned(),
        bytes,
    })
    .collect()
}

impl Case {
    /// As a user would give it.
    fn told(&self) -> Said {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join(&self.name), &self.bytes).expect("a file");
        let name = &self.name;
        let mut command = portzero(folder.path());
        match name.split('-').next() {
            Some("task") => command.args(["render", "--task-definition", &format!("./{name}")]),
            Some("config") => command.args(["rehearse", "--config", name]),
            _ => command.args(["rehearse", "--cluster", "shop", "--service", "web", "--scenario", name]),
        };
        said(&mut command)
    }

    /// `FILE:LINE:COLUMN`, but for a file that is only too large.
    fn has_place(&self, told: &str) -> bool {
        let places = told.lines().filter_map(|line| line.trim_start().strip_prefix("--> "));
        let mut places = places.filter_map(|place| place.split_once(&format!("{}:", self.name)));
        places.any(|(_, place)| {
            let numbers: Vec<_> = place.split(':').map(str::parse::<usize>).collect();
            numbers.len() == 2
                && numbers
                    .iter()
                    .all(|number| number.as_ref().is_ok_and(|number| *number > 0))
        }) || told.contains("it has 1200003 bytes")
    }
}

fn told_of(kind: &str, least: usize) {
    let cases = cases(kind);
    assert!(cases.len() >= least, "{} of {least} files", cases.len());
    let mut page = String::new();
    let mut wrong: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for case in &cases {
        let told = case.told();
        let mut fails = |why: String| wrong.entry(&case.name).or_default().push(why);
        if told.code != Some(2) {
            fails(format!("it ends with {:?}", told.code));
        }
        if !case.has_place(&told.stderr) {
            fails("no place".to_owned());
        }
        for words in PARSERS_WORDS.iter().filter(|words| told.stderr.contains(**words)) {
            fails(format!("a parser's words: {words}"));
        }
        if told.stderr.contains(SECRET) || told.stdout.contains(SECRET) {
            fails("a value".to_owned());
        }
        writeln!(page, "# {}\n{}", case.name, told.stderr.trim_end()).expect("a String takes all");
        writeln!(page, "exit code {}\n", told.code.unwrap_or(-1)).expect("a String takes all");
    }
    assert!(wrong.is_empty(), "{wrong:#?}\n{page}");
    insta::with_settings!({ snapshot_path => folder(), prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(kind, page);
    });
}

#[test]
fn what_is_no_task_definition_is_told_with_place_cause_and_what_to_do() {
    told_of("task", 90);
}

#[test]
fn what_is_no_configuration_is_told_with_place_cause_and_what_to_do() {
    told_of("config", 50);
}

#[test]
fn what_is_no_scenario_is_told_with_place_cause_and_what_to_do() {
    told_of("scenario", 20);
}
