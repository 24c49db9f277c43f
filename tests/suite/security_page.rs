//! SECURITY.md promises what a test holds: each promise of its list names one that is there.

use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn section() -> String {
    let page = std::fs::read_to_string(root().join("SECURITY.md")).expect("the page");
    let (_, rest) = page.split_once("\n## What is hidden\n").expect("the section");
    rest.split_once("\nNot hidden:\n").expect("its end").0.to_owned()
}

fn is_there(test: &str) -> bool {
    let Some((module, name)) = test.split_once("::") else {
        return false;
    };
    let path: PathBuf = root().join("tests/suite").join(format!("{module}.rs"));
    let source = std::fs::read_to_string(path).unwrap_or_default();
    source.contains(&format!("#[test]\nfn {name}()"))
}

#[test]
fn every_promise_names_a_test_that_is_there() {
    let section = section();
    let promises: Vec<&str> = section.split("\n- ").skip(1).collect();
    assert!(promises.len() >= 10, "{promises:#?}");
    for promise in promises {
        let named: Vec<&str> = promise.split('`').filter(|part| part.contains("::")).collect();
        assert!(!named.is_empty(), "no test: {promise}");
        for test in named {
            assert!(is_there(test), "{test}: {promise}");
        }
    }
}
