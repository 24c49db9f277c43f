//! The order inside of the command-line program: the application below its edges, and the command line on top.
//! The order of the crates is Cargo's business.

use crate::graph::{self, Graph};
use crate::source::Source;
use crate::{Breaches, assert_none, source};

/// Each folder of `src`, with the folders beside it that it may import.
const ORDER: [(&str, &[&str]); 5] = [
    ("app", &[]),
    ("adapters", &["app"]),
    ("report", &["app"]),
    ("config", &["app"]),
    ("cli", &["app", "adapters", "report", "config"]),
];
/// Files that import more than their folder may, each with its reason. None does, and an entry that no file needs is a
/// breach as well.
const EXCEPTIONS: [(&str, &str, &str); 0] = [];

fn folder(path: &str) -> Option<&str> {
    path.strip_prefix("src/")?.split('/').next()
}

fn check(graph: &Graph, exceptions: &[(&str, &str, &str)]) -> Breaches {
    let mut breaches = Vec::new();
    let mut needed = Vec::new();
    for edge in graph.edges() {
        let (Some(from), Some(to)) = (folder(&edge.from), folder(&edge.to)) else {
            continue;
        };
        let may = ORDER
            .iter()
            .find(|(name, _)| *name == from)
            .map_or(&[][..], |(_, may)| may);
        // main.rs and lib.rs put the folders together.
        if from == to || from.ends_with(".rs") || may.contains(&to) {
            continue;
        }
        if exceptions
            .iter()
            .any(|(file, name, _)| *file == edge.from && *name == to)
        {
            needed.push((edge.from.clone(), to.to_owned()));
            continue;
        }
        breaches.push(format!("{}:{}: `{from}` imports `{to}`", edge.from, edge.line));
    }
    for (file, name, _) in exceptions {
        if !needed.iter().any(|(f, n)| f == file && n == name) {
            breaches.push(format!(
                "{file} does not import `{name}` any more: take it off the list"
            ));
        }
    }
    breaches
}

fn unplaced(sources: &[Source]) -> Breaches {
    let folders = sources.iter().filter_map(|source| folder(&source.path));
    let mut unknown: Vec<&str> = folders
        .filter(|name| !name.ends_with(".rs") && !ORDER.iter().any(|(known, _)| known == name))
        .collect();
    unknown.dedup();
    unknown
        .into_iter()
        .map(|name| format!("src/{name} has no place in the order of tests/architecture/order.rs"))
        .collect()
}

#[test]
fn only_the_command_line_knows_all_the_others() {
    let sources = source::all();
    assert_none(check(&graph::of(&sources), &EXCEPTIONS));
    assert_none(unplaced(&sources));
}

mod bites {
    use super::*;

    fn breaches(path: &str, text: &str) -> Breaches {
        let mut sources = vec![Source::new(
            "src/lib.rs",
            "pub mod app; pub mod adapters; pub mod report; pub mod cli;",
        )];
        for name in ["app", "adapters", "report", "cli"] {
            sources.push(Source::new(&format!("src/{name}/mod.rs"), "pub mod a;"));
            sources.push(Source::new(&format!("src/{name}/a.rs"), "pub struct A;"));
        }
        sources.retain(|source| source.path != path);
        sources.push(Source::new(path, text));
        check(&graph::of(&sources), &[])
    }

    #[test]
    fn an_import_against_the_order_is_found_with_its_line() {
        assert_eq!(
            breaches("src/app/a.rs", "\nuse crate::report::a::A;"),
            ["src/app/a.rs:2: `app` imports `report`"]
        );
        assert_eq!(breaches("src/adapters/a.rs", "use crate::report::a::A;").len(), 1);
        assert_eq!(
            breaches("src/report/a.rs", "fn f(a: super::super::cli::a::A) {}").len(),
            1
        );
        assert_none(breaches("src/report/a.rs", "use crate::app::a::A;"));
        assert_none(breaches(
            "src/cli/a.rs",
            "use crate::{app::a::A, report::a};\nfn f() { a::A; }",
        ));
    }

    #[test]
    fn an_exception_that_nobody_needs_and_a_new_folder_are_found() {
        let sources = [Source::new("src/app/a.rs", ""), Source::new("src/weather/mod.rs", "")];
        assert_eq!(check(&graph::of(&sources), &[("src/app/a.rs", "cli", "why")]).len(), 1);
        assert_eq!(unplaced(&sources).len(), 1);
    }
}
