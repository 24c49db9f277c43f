//! Which file imports which, read from the text: `use`, and paths in the code. Inside of one crate only, for between
//! crates Cargo allows no circle.
//!
//! A `mod` line and a re-export (`pub use`) are no imports: they show a name, they do not need it. Whoever says a
//! re-exported name imports the file that defines it. Tests may import what they like.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::source::{Source, line_of};
use crate::{Breaches, assert_none, source};

/// Folders whose `mod.rs` begins the files beside it and also holds what they share. Their imports of it would close a
/// circle each. What is shared belongs in a file of its own (as in `config/model.rs`); until then they are listed here,
/// each with what it shares. An entry that no circle needs any more is a breach, so the list only shrinks.
const HEADS: [(&str, &str); 9] = [
    (
        "crates/portzero-core/src/rollout/cause/diagnose/mod.rs",
        "`Evidence`, which every kind of cause adds its methods to",
    ),
    (
        "crates/portzero-core/src/rollout/observer/mod.rs",
        "`Observer`, which the parts of a step add their methods to",
    ),
    (
        "crates/portzero-sim/src/wire/mod.rs",
        "`HttpRequest`, `HttpResponse`, `Reply`",
    ),
    (
        "crates/portzero-sim/src/wire/json/ecs/mod.rs",
        "the table of operations, and what their answers are made of",
    ),
    (
        "crates/portzero-sim/src/wire/query/elb/mod.rs",
        "the table of operations, and what their answers are made of",
    ),
    (
        "src/adapters/aws/web_identity/mod.rs",
        "`WebIdentity`, which a refusal explains",
    ),
    (
        "src/app/deploy/mod.rs",
        "`Run` and `ServiceRun`, which the parts of a run add their methods to",
    ),
    ("src/cli/mod.rs", "`Cli`, `Stop`"),
    ("src/report/page/mod.rs", "`Stage`, `Setting`, `prose`"),
];

/// `from` says something that `to` defines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    pub from: String,
    pub to: String,
    pub line: usize,
}

#[derive(Default)]
pub struct Graph {
    /// By the two files; the first line that makes the edge.
    lines: BTreeMap<(String, String), usize>,
}

/// The folder of a crate, then the names of modules from its root.
type Path = Vec<String>;

/// A path of the text, and where it begins.
type Said = (usize, Path);

struct Module {
    file: String,
    /// What each re-exported name stands for, as it is written.
    shows: BTreeMap<String, Path>,
    /// What is re-exported whole: `pub use name::*`.
    shows_all: Vec<Path>,
    imports: BTreeMap<String, Path>,
    says: Vec<Said>,
}

impl Graph {
    pub fn edges(&self) -> impl Iterator<Item = Edge> {
        self.lines.iter().map(|((from, to), line)| Edge {
            from: from.clone(),
            to: to.clone(),
            line: *line,
        })
    }

    /// Without what the files below each head import of it.
    fn without_imports_of(&self, heads: &[(&str, &str)]) -> Graph {
        let is_below = |from: &str, to: &str| {
            let folder = to.trim_end_matches("mod.rs");
            heads.iter().any(|(head, _)| *head == to) && from.starts_with(folder)
        };
        let kept = self.lines.iter().filter(|((from, to), _)| !is_below(from, to));
        Graph {
            lines: kept.map(|(edge, line)| (edge.clone(), *line)).collect(),
        }
    }

    /// The shortest way from a file's imports back to it.
    fn circle<'a>(&'a self, file: &'a str) -> Option<Vec<&'a str>> {
        let next = |from: &str| -> Vec<&'a str> {
            let edges = self.lines.keys().filter(|(f, _)| f == from);
            edges.map(|(_, to)| to.as_str()).collect()
        };
        let mut from: BTreeMap<&'a str, &'a str> = BTreeMap::new();
        let mut open = VecDeque::from([file]);
        while let Some(at) = open.pop_front() {
            for to in next(at) {
                if to == file {
                    let mut way = vec![at];
                    while let Some(before) = from.get(way[way.len() - 1]) {
                        way.push(before);
                    }
                    way.reverse();
                    return Some(way);
                }
                if !from.contains_key(to) {
                    from.insert(to, at);
                    open.push_back(to);
                }
            }
        }
        None
    }

    /// One line for each circle, beginning with its first file.
    fn circles(&self) -> Breaches {
        let files: BTreeSet<&str> = self.lines.keys().map(|(from, _)| from.as_str()).collect();
        let mut seen = BTreeSet::new();
        let mut breaches = Vec::new();
        for file in files {
            let Some(mut way) = self.circle(file) else { continue };
            let first = (0..way.len()).min_by_key(|at| way[*at]).unwrap_or(0);
            way.rotate_left(first);
            if !seen.insert(way.clone()) {
                continue;
            }
            let steps: Vec<String> = (0..way.len())
                .map(|at| {
                    let (from, to) = (way[at], way[(at + 1) % way.len()]);
                    let line = self.lines[&(from.to_owned(), to.to_owned())];
                    format!("{from}:{line}")
                })
                .collect();
            breaches.push(format!("a circle: {} -> {}", steps.join(" -> "), way[0]));
        }
        breaches
    }
}

fn check(graph: &Graph, heads: &[(&str, &str)]) -> Breaches {
    let mut breaches = graph.without_imports_of(heads).circles();
    for (at, (file, _)) in heads.iter().enumerate() {
        let others = [&heads[..at], &heads[at + 1..]].concat();
        let circles = graph.without_imports_of(&others).circles();
        if !circles.iter().any(|circle| circle.contains(file)) {
            breaches.push(format!("{file} closes no circle any more: take it off the list"));
        }
    }
    breaches
}

/// The graph of the program's own code.
pub fn of(sources: &[Source]) -> Graph {
    let modules: BTreeMap<Path, Module> = sources
        .iter()
        .filter(|source| !source.is_test())
        .filter_map(|source| Some((module_path(source)?, module(source))))
        .collect();
    let mut graph = Graph::default();
    for (path, module) in &modules {
        for (line, said) in &module.says {
            let Some(to) = resolve(&modules, path, said, 0) else {
                continue;
            };
            if *to != module.file {
                let first = graph.lines.entry((module.file.clone(), to.to_owned())).or_insert(*line);
                *first = (*first).min(*line);
            }
        }
    }
    graph
}

/// `crates/portzero-core/src/base/id.rs` -> the crate's folder, `base`, `id`.
fn module_path(source: &Source) -> Option<Path> {
    let (folder, inner) = source.within()?;
    let inner = inner.trim_end_matches(".rs");
    let names = inner.split('/').filter(|name| !matches!(*name, "mod" | "lib" | "main"));
    Some(std::iter::once(folder).chain(names).map(str::to_owned).collect())
}

fn module(source: &Source) -> Module {
    let code = source.shipped();
    let mut module = Module {
        file: source.path.clone(),
        shows: BTreeMap::new(),
        shows_all: Vec::new(),
        imports: BTreeMap::new(),
        says: Vec::new(),
    };
    let mut rest = code.clone();
    for (at, is_shown) in uses(&code) {
        let end = at + code[at..].find(';').unwrap_or(code.len() - at);
        for (alias, path) in use_tree(&code[at..end]) {
            match (is_shown, alias.as_str()) {
                (true, "*") => module.shows_all.push(path),
                (true, _) => drop(module.shows.insert(alias, path)),
                (false, _) => {
                    // A name alone may be a module; what is then said of it makes the edge.
                    module.says.push((line_of(&code, at), path.clone()));
                    module.imports.insert(alias, path);
                }
            }
        }
        rest.replace_range(at..end, &" ".repeat(end - at));
    }
    module.says.extend(paths(&rest));
    module
}

/// Where the tree of each `use` begins, and whether it is a re-export.
fn uses(code: &str) -> Vec<(usize, bool)> {
    let is_start = |at: usize| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '#');
    let found = code.match_indices("use ").map(|(at, _)| at).filter(|at| is_start(*at));
    found
        .map(|at| {
            let line = code[..at].rsplit(['\n', ';', '{', '}']).next().unwrap_or("");
            (at + "use ".len(), line.trim_start().starts_with("pub"))
        })
        .collect()
}

/// `a::{b, c as d}` -> (b, a::b), (d, a::c).
fn use_tree(text: &str) -> Vec<(String, Path)> {
    let text = text.trim();
    if let Some((head, inner)) = text.split_once('{') {
        let head: Path = names(head);
        let inner = inner.rsplit_once('}').map_or(inner, |(inner, _)| inner);
        let with_head = |(alias, path): (String, Path)| match path.as_slice() {
            [only] if only == "self" => (head.last().cloned().unwrap_or_default(), head.clone()),
            _ => (alias, [head.clone(), path].concat()),
        };
        return parts(inner).into_iter().flat_map(use_tree).map(with_head).collect();
    }
    let (path, alias) = text.split_once(" as ").unwrap_or((text, ""));
    let mut path = names(path);
    let alias = match (alias.trim(), path.last()) {
        ("", Some(last)) => last.clone(),
        ("", None) => return Vec::new(),
        (alias, _) => alias.to_owned(),
    };
    if alias == "*" {
        path.pop();
    }
    vec![(alias, path)]
}

/// The parts between the commas outside of braces.
fn parts(text: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    text.split(|c| {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    })
    .filter(|part| !part.trim().is_empty())
    .collect()
}

fn names(path: &str) -> Path {
    let names = path.split("::").map(str::trim).filter(|name| !name.is_empty());
    names.map(str::to_owned).collect()
}

/// Every `a::b` of the code with its line; what stands in front of it (`$`, `<`) is no part of it.
fn paths(code: &str) -> Vec<Said> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = code[at..].find(is_name).map(|offset| at + offset) {
        let mut end = start;
        loop {
            end += code[end..].find(|c| !is_name(c)).unwrap_or(code.len() - end);
            match code[end..].strip_prefix("::") {
                Some(tail) if tail.starts_with(is_name) => end += 2,
                _ => break,
            }
        }
        let is_tail = code[..start].ends_with(':') || code[..start].ends_with('.');
        if !is_tail && code[start..end].contains("::") {
            found.push((line_of(code, start), names(&code[start..end])));
        }
        at = end;
    }
    found
}

/// The file that defines what the module `from` says. `None`: another crate, something local, or a module as such.
fn resolve<'m>(modules: &'m BTreeMap<Path, Module>, from: &Path, said: &[String], depth: usize) -> Option<&'m str> {
    // Re-exports may lead in a circle, which the compiler would turn down.
    if depth > 8 {
        return None;
    }
    let (first, rest) = said.split_first()?;
    let mut at = match first.as_str() {
        "crate" => from[..1].to_vec(),
        "self" => from.clone(),
        "super" => from[..from.len().checked_sub(1)?.max(1)].to_vec(),
        name => {
            let child = [from.as_slice(), &[name.to_owned()]].concat();
            if modules.contains_key(&child) {
                child
            } else {
                let import = modules.get(from)?.imports.get(name)?;
                if import.first() == Some(first) {
                    return None;
                }
                return resolve(modules, from, &[import, rest].concat(), depth + 1);
            }
        }
    };
    let mut rest = rest;
    while let Some((name, tail)) = rest.split_first() {
        if name == "super" {
            at.pop();
            rest = tail;
            continue;
        }
        let child = [at.as_slice(), std::slice::from_ref(name)].concat();
        if modules.contains_key(&child) {
            (at, rest) = (child, tail);
            continue;
        }
        let module = modules.get(&at)?;
        if let Some(shown) = module.shows.get(name) {
            return resolve(modules, &at, &[shown, tail].concat(), depth + 1);
        }
        let through = |all: &Path| resolve(modules, &at, &[all.as_slice(), rest].concat(), depth + 1);
        return module.shows_all.iter().find_map(through).or(Some(&module.file));
    }
    None
}

#[test]
fn no_imports_go_in_a_circle() {
    let graph = of(&source::all());
    assert!(
        graph.lines.len() > 500,
        "{} imports are too few to be all",
        graph.lines.len()
    );
    assert_none(check(&graph, &HEADS));
}

mod bites {
    use super::*;

    fn graph(files: &[(&str, &str)]) -> Graph {
        let sources: Vec<Source> = files.iter().map(|(path, text)| Source::new(path, text)).collect();
        of(&sources)
    }

    #[test]
    fn a_circle_is_found_however_it_is_written() {
        let root = ("src/lib.rs", "mod a;\nmod b;");
        for (a, b) in [
            ("use crate::b::B;", "use crate::a::A;"),
            (
                "fn f(b: super::b::B) {}",
                "use super::{a::{self, C}};\nfn f() { a::f() }",
            ),
            (
                "use crate::b;\nfn f() { b::f() }",
                "use crate::a::*;\nfn f() { crate::a::f() }",
            ),
        ] {
            let circles = graph(&[root, ("src/a.rs", a), ("src/b.rs", b)]).circles();
            assert_eq!(circles.len(), 1, "{a} {b}: {circles:?}");
            assert!(circles[0].starts_with("a circle: src/a.rs:"), "{circles:?}");
        }
    }

    #[test]
    fn a_circle_through_a_folder_s_file_is_found() {
        let circles = graph(&[
            ("src/a/mod.rs", "mod b;\npub struct A;\nfn f() { b::g() }"),
            ("src/a/b.rs", "use super::A;\npub fn g() {}"),
        ])
        .circles();
        assert_eq!(circles, ["a circle: src/a/b.rs:1 -> src/a/mod.rs:3 -> src/a/b.rs"]);
    }

    #[test]
    fn a_head_on_the_list_is_left_alone_until_nobody_needs_it() {
        let circle = graph(&[
            ("src/a/mod.rs", "mod b;\npub struct A;\nfn f() { b::g() }"),
            ("src/a/b.rs", "use super::A;\npub fn g() {}"),
        ]);
        let heads = [("src/a/mod.rs", "why")];
        assert_none(check(&circle, &heads));
        let tree = graph(&[
            ("src/a/mod.rs", "mod b;\nfn f() { b::g() }"),
            ("src/a/b.rs", "pub fn g() {}"),
        ]);
        assert_eq!(check(&tree, &heads).len(), 1);
    }

    #[test]
    fn a_re_export_shows_and_does_not_import() {
        let files = [
            ("src/a/mod.rs", "mod b;\nmod c;\npub use b::B;\npub use c::*;"),
            ("src/a/b.rs", "use super::C;\npub struct B;"),
            ("src/a/c.rs", "pub struct C;"),
        ];
        let all = graph(&files);
        let edges: Vec<(String, String)> = all.edges().map(|edge| (edge.from, edge.to)).collect();
        // What is shown whole may come from there, or be the folder's own; the text does not say.
        assert_eq!(edges, [("src/a/b.rs".to_owned(), "src/a/c.rs".to_owned())]);
        assert_none(all.circles());
    }

    #[test]
    fn tests_comments_and_texts_import_nothing() {
        assert_none(
            graph(&[
                (
                    "src/a.rs",
                    "//! crate::b::B\nconst A: &str = \"crate::b::B\";\n#[cfg(test)]\nmod tests { use crate::b::B; }",
                ),
                ("src/b.rs", "use crate::a::A;"),
                ("src/tests/c.rs", "use crate::b::B;"),
            ])
            .circles(),
        );
    }
}
