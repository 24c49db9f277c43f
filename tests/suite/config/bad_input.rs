//! Text that is no configuration: each is answered with a finding and a place, and none with a panic.

use proptest::prelude::*;

use super::{Code, read, read_container, said};
use crate::support::program;

#[test]
fn bad_input_is_refused_with_a_place() {
    let bomb = {
        let mut text = "x-a: &a [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for (from, to) in ('a'..'j').zip('b'..='j') {
            text += &format!(
                "x-{to}: &{to} [{}]\n",
                [format!("*{from}"), ",".into()].concat().repeat(9)
            );
        }
        text + "services: []\n"
    };
    let deep = format!("services: {}", "[".repeat(100_000));
    let large = format!("services: []\n#{}", "x".repeat(50_000_000));
    for (text, code, wanted) in [
        (
            "services: []\nservices: []\n",
            Code::DuplicateKey,
            "2:1 the key `services` is there twice",
        ),
        (
            "services:\n- name: a\n  name: b\n",
            Code::DuplicateKey,
            "3:3 the key `name` is there twice",
        ),
        ("services:\n\t- name: a\n", Code::Syntax, "2:"),
        (
            "services:\n- name: a\0b\n",
            Code::Syntax,
            "2:10 portzero.yml is not text: it holds a NUL byte",
        ),
        ("", Code::Config, "1:1 `portzero.yml` is empty"),
        ("# nothing\n", Code::Config, "`portzero.yml` holds nothing but comments"),
        ("- a\n", Code::WrongType, "1:1 expected a map, got a list"),
        ("just text", Code::WrongType, "1:1 expected a map, got \"just text\""),
        (
            "services: {}\n",
            Code::WrongType,
            "1:11 services: expected a list, got a map",
        ),
        ("version: 1\n", Code::MissingKey, "`services` is missing"),
        (
            "version: 2\nservices: []",
            Code::InvalidValue,
            "this portzero reads version 1",
        ),
        (
            "services: []\n---\nservices: []\n",
            Code::Syntax,
            "more than one YAML document",
        ),
        ("services: [\n", Code::Syntax, "is not YAML"),
        ("region: !secret x\n", Code::Syntax, "is not YAML"),
        (bomb.as_str(), Code::Config, "too intricate"),
        (deep.as_str(), Code::Config, "too intricate"),
        (large.as_str(), Code::Config, "too large"),
    ] {
        let findings = read(text).unwrap_err();
        let shown: String = text.chars().take(40).collect();
        assert_eq!(findings[0].code, code, "{shown}: {findings:?}");
        let all = said(text);
        assert!(all[0].contains(wanted), "{shown}: {all:?}");
        assert!(findings[0].location.is_some());
    }
}

#[test]
fn a_file_that_is_no_text_is_refused_by_the_program_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let utf16: Vec<u8> = [0xFF, 0xFE]
        .into_iter()
        .chain("services: []\n".bytes().flat_map(|byte| [byte, 0]))
        .collect();
    for (bytes, wanted) in [
        (
            b"region: x\nservices:\n- name: caf\xe9\n".to_vec(),
            vec!["portzero.yml:3:12", "is not UTF-8 text"],
        ),
        (utf16, vec!["portzero.yml:1:1", "is not UTF-8 text, but UTF-16 text"]),
        (
            b"services:\n- name: a\0b\n".to_vec(),
            vec!["portzero.yml:2:10", "NUL byte"],
        ),
        (
            vec![b'#'; 50_000_000],
            vec!["portzero.yml cannot be read: it has 50000000 bytes"],
        ),
    ] {
        std::fs::write(folder.path().join("portzero.yml"), &bytes).unwrap();
        let said = program::run(folder.path(), "rehearse");
        assert_eq!(said.code, Some(2), "{}", said.stderr);
        for words in wanted {
            assert!(said.stderr.contains(words), "{words}: {}", said.stderr);
        }
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "(?s).{0,200}") {
        let _ = read(&text);
    }

    #[test]
    fn no_pieces_of_a_configuration_make_the_reader_panic(
        pieces in proptest::collection::vec(
            prop_oneof![
                Just("services:"), Just("\n"), Just("- "), Just("  "), Just("name: a"), Just("containers:"), Just("ports: [80:80]"),
                Just("${A:-"), Just("}"), Just("&a "), Just("*a"), Just("<<: *a"), Just("{"), Just("["), Just("]"), Just(","), Just("\""), Just("'"),
                Just("environment: "), Just("version: 1"), Just("\t"), Just(": "), Just("!!int "), Just("|"), Just("é"), Just("? "), Just("timeout: 1"),
            ],
            0..60,
        )
    ) {
        let _ = read(&pieces.concat());
    }

    #[test]
    fn an_environment_value_in_quotes_comes_through_unchanged(value in "[^\\x00-\\x1f$\\x7f-\\x9f\u{feff}\u{2028}\u{2029}\u{fffe}\u{ffff}]{0,60}") {
        let quoted = value.replace('\'', "''");
        let app = read_container(&format!("environment: {{A: '{quoted}'}}"));
        prop_assert_eq!(app["environment"][0]["value"].as_str(), Some(value.as_str()));
    }
}

#[test]
fn an_empty_name_is_told_with_its_place() {
    let service = |lines: &str| format!("services:\n- name: web\n  cluster: c\n{lines}");
    for (text, wanted) in [
        (
            service("  images: { '': 'a:1' }\n"),
            "invalid-value 4:17 services[0].images: the name of a container in it is empty",
        ),
        (
            super::container("environment: ['=x']"),
            "invalid-value 9:19 services[0].containers[0].environment[0]: the name before the `=` is empty",
        ),
        (
            super::container("environment: { '': x }"),
            "invalid-value 9:24 services[0].containers[0].environment: a name in it is empty",
        ),
        (
            service("  keep_revisions: 0\n"),
            "invalid-value 4:19 services[0].keep_revisions: expected at least 1, got 0: no revision to go back to would \
             be kept beyond what ran just before",
        ),
    ] {
        assert_eq!(said(&text), [wanted]);
    }
}

#[test]
fn p16_bytes_that_are_no_text_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let without_mark: Vec<u8> = "services: []\n".bytes().flat_map(|byte| [byte, 0]).collect();
    for (bytes, wanted) in [
        (b"\x1f\x8b\x08\x00".to_vec(), "is not UTF-8 text, but a gzip archive"),
        (b"PK\x03\x04\x14\x00".to_vec(), "is not text: it is a zip archive"),
        (without_mark, "is not text: it is UTF-16 text without a byte order mark"),
    ] {
        for name in ["portzero.yml", "web.json"] {
            std::fs::write(folder.path().join(name), &bytes).unwrap();
        }
        for arguments in ["rehearse", "render --task-definition web.json"] {
            let said = program::run(folder.path(), arguments);
            assert_eq!(said.code, Some(2), "{}", said.stderr);
            assert!(said.stderr.contains(wanted), "{wanted}: {}", said.stderr);
            assert!(said.stderr.contains("hint: "), "{}", said.stderr);
        }
    }
}
