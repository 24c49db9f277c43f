//! docs/findings.md has one section for each code that a finding can have, and no other.

use std::collections::BTreeSet;

use portzero_core::base::finding::Code;

fn page() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/findings.md")).expect("the page")
}

#[test]
fn the_codes_of_the_page_are_those_of_the_program() {
    let page = page();
    let anchors: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let told: BTreeSet<&str> = anchors.iter().copied().collect();
    assert_eq!(told.len(), anchors.len(), "a code stands twice");
    let known: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(told, known);
}

#[test]
fn each_code_is_explained() {
    let page = page();
    for section in page.split("\n## ").skip(1) {
        let (code, words) = section.split_once('\n').unwrap_or((section, ""));
        assert!(words.trim().len() > 20, "{code} has no words");
    }
}
