//! A module imports only from those above it.

use std::collections::BTreeSet;

use crate::source::{Source, line_of};
use crate::{Breaches, assert_none, source};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    Domain,
    Port,
    Application,
    /// Something that the command line chooses between; nobody but the command line knows it.
    Edge,
    CommandLine,
}

/// The modules from top to bottom: each may import from those before it.
pub const ORDER: &[(&str, Layer)] = &[
    ("api_error", Layer::Domain),
    ("finding", Layer::Domain),
    ("id", Layer::Domain),
    ("time", Layer::Domain),
    ("nearest", Layer::Domain),
    ("failed_call", Layer::Domain),
    ("service", Layer::Domain),
    ("task", Layer::Domain),
    ("target", Layer::Domain),
    ("task_definition", Layer::Domain),
    ("rollout", Layer::Domain),
    ("preflight", Layer::Domain),
    ("forecast", Layer::Domain),
    ("conduct", Layer::Domain),
    ("plan", Layer::Domain),
    ("pull_request", Layer::Domain),
    ("event", Layer::Domain),
    ("port", Layer::Port),
    ("survey", Layer::Application),
    ("deploy", Layer::Application),
    ("announce", Layer::Application),
    ("sim", Layer::Edge),
    ("aws", Layer::Edge),
    ("github", Layer::Edge),
    ("clock", Layer::Edge),
    ("report", Layer::Edge),
    ("config", Layer::Edge),
    ("cli", Layer::CommandLine),
];

/// All that the simulator's model may know of the program: names, times and findings.
const SIM_MAY: [&str; 4] = ["finding", "id", "nearest", "time"];
/// What it may know besides where it implements the ports: shapes, and no judgement.
const SIM_PORT_MAY: [&str; 5] = ["api_error", "port", "service", "target", "task"];
const SIM_PORT_FILES: [&str; 4] = [
    "src/sim/port.rs",
    "src/sim/port/",
    "src/sim/translate.rs",
    "src/sim/tests/",
];
/// The scheduler's arithmetic as the program does it. The simulator has its own, or an error in one would hide in both.
const SIM_MAY_NOT_CALL: [&str; 3] = ["lower_limit", "upper_limit", "breaker_threshold"];

fn position(module: &str) -> Option<usize> {
    ORDER.iter().position(|(name, _)| *name == module)
}

fn check(source: &Source) -> Breaches {
    let own = source.module();
    if own == "lib" || own == "main" {
        return Vec::new();
    }
    let Some(place) = position(own) else {
        return vec![format!(
            "{}: module `{own}` has no place in the order of tests/architecture/layers.rs",
            source.path
        )];
    };
    let mut breaches = Vec::new();
    for (line, module) in imports(source) {
        if module != own
            && let Some(why) = forbidden(source, place, &module)
        {
            breaches.push(format!("{}:{line}: `{own}` imports `{module}`, {why}", source.path));
        }
    }
    if own == "sim" {
        breaches.extend(borrowed_arithmetic(source));
    }
    breaches
}

fn forbidden(source: &Source, place: usize, module: &str) -> Option<&'static str> {
    let own = source.module();
    let Some(other) = position(module) else {
        return Some("which is no module of the order");
    };
    if other > place {
        return Some("which is below it");
    }
    if ORDER[other].1 == Layer::Edge && ORDER[place].1 != Layer::CommandLine {
        return Some("which only the command line may know");
    }
    let is_port_side = SIM_PORT_FILES.iter().any(|file| source.path.starts_with(file));
    let may = SIM_MAY.contains(&module) || is_port_side && SIM_PORT_MAY.contains(&module);
    (own == "sim" && !may).then_some("and the simulator shares no judgement with what it is the oracle of")
}

fn borrowed_arithmetic(source: &Source) -> Breaches {
    let code = source.code();
    let calls = |name: &str| -> Vec<usize> {
        let is_bare = |at: &usize| {
            let before = code[..*at].chars().next_back();
            !before.is_some_and(|c| c.is_alphanumeric() || c == '_') && !code[..*at].trim_end().ends_with("fn")
        };
        code.match_indices(&format!("{name}("))
            .map(|(at, _)| at)
            .filter(is_bare)
            .collect()
    };
    // A function of the simulator's own may well have the same name, and is then called without a path.
    let is_own = |name: &str| code.contains(&format!("fn {name}("));
    SIM_MAY_NOT_CALL
        .iter()
        .filter(|name| !is_own(name))
        .flat_map(|name| calls(name).into_iter().map(|at| (at, *name)).collect::<Vec<_>>())
        .map(|(at, name)| format!("{}:{}: the simulator borrows `{name}`", source.path, line_of(&code, at)))
        .collect()
}

/// Every `crate::module` in the file, and every `super::…::module` that leads to the root, with its line.
fn imports(source: &Source) -> BTreeSet<(usize, String)> {
    let code = source.code();
    let to_root = "super::".repeat(source.depth());
    let mut found = BTreeSet::new();
    for prefix in ["crate::", to_root.as_str()] {
        for (at, _) in code.match_indices(prefix) {
            if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':') {
                continue;
            }
            for (offset, name) in first_segments(&code[at + prefix.len()..]) {
                // `super::` from inside a test module may lead to something else of that name.
                if prefix == "crate::" || position(&name).is_some() {
                    found.insert((line_of(&code, at + prefix.len() + offset), name));
                }
            }
        }
    }
    found
}

/// `a::b` -> a; `{a::{b, c}, d}` -> a, d; with where they begin.
fn first_segments(path: &str) -> Vec<(usize, String)> {
    let word = |from: usize| -> String {
        path[from..]
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect()
    };
    if !path.starts_with('{') {
        return vec![(0, word(0))];
    }
    let mut segments = Vec::new();
    let mut depth = 0;
    let mut is_expected = true;
    for (at, c) in path.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => is_expected = true,
            c if depth == 1 && is_expected && !c.is_whitespace() => {
                segments.push((at, word(at)));
                is_expected = false;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    segments
}

#[test]
fn every_module_imports_only_from_those_above_it() {
    assert_none(source::all().iter().flat_map(check).collect());
}

#[test]
fn the_order_names_only_modules_that_exist() {
    let sources = source::all();
    let known: BTreeSet<&str> = sources.iter().map(Source::module).collect();
    assert_none(
        ORDER
            .iter()
            .filter(|(name, _)| !known.contains(name))
            .map(|(name, _)| format!("no `{name}`"))
            .collect(),
    );
}

mod bites {
    use super::*;

    fn breach(path: &str, text: &str) -> String {
        check(&Source::new(path, text)).join("; ")
    }

    #[test]
    fn an_upward_import_is_found_with_its_line() {
        assert_eq!(
            breach(
                "src/rollout/phase.rs",
                "use crate::id::TaskArn;\nuse crate::plan::Plan;\n"
            ),
            "src/rollout/phase.rs:2: `rollout` imports `plan`, which is below it"
        );
        assert!(breach("src/service.rs", "fn f(x: &crate::task::Task) {}").contains("`service` imports `task`"));
        assert!(breach("src/target.rs", "use super::deploy::Run;").contains("`target` imports `deploy`"));
    }

    #[test]
    fn a_group_is_taken_apart() {
        let text = "use crate::{\n    finding::{Code, Finding},\n    cli,\n};";
        assert_eq!(
            breach("src/plan.rs", text),
            "src/plan.rs:3: `plan` imports `cli`, which is below it"
        );
    }

    #[test]
    fn comments_and_strings_import_nothing() {
        assert_eq!(
            breach("src/id.rs", "//! see [`crate::cli`]\nconst A: &str = \"crate::cli\";"),
            ""
        );
    }

    #[test]
    fn the_core_knows_no_reporter_and_no_adapter() {
        assert!(breach("src/deploy.rs", "use crate::report::log::Log;").contains("which is below it"));
        assert!(breach("src/report/log.rs", "use crate::aws::Connection;").contains("only the command line"));
        assert!(breach("src/aws/ecs.rs", "use crate::sim::World;").contains("only the command line"));
        assert_eq!(breach("src/cli/rehearse.rs", "use crate::sim::World;"), "");
    }

    #[test]
    fn the_simulator_borrows_no_judgement() {
        assert!(breach("src/sim/world.rs", "use crate::rollout::Phase;").contains("no judgement"));
        assert!(breach("src/sim/world.rs", "use crate::forecast::Forecast;").contains("no judgement"));
        assert!(breach("src/sim/port.rs", "use crate::rollout::Phase;").contains("no judgement"));
        assert!(breach("src/sim/world.rs", "use crate::port::Ecs;").contains("no judgement"));
        assert!(breach("src/sim/world.rs", "use crate::service::Service;").contains("no judgement"));
        assert_eq!(
            breach("src/sim/port.rs", "use crate::port::Ecs;\nuse crate::service::Service;"),
            ""
        );
        assert!(
            breach("src/sim/scheduler.rs", "let l = configuration.lower_limit(2);").contains("borrows `lower_limit`")
        );
        assert_eq!(
            breach(
                "src/sim/scheduler.rs",
                "fn lower_limit(n: u32) {}\nlet l = lower_limit(2);"
            ),
            ""
        );
    }

    #[test]
    fn a_new_module_must_be_given_a_place() {
        assert!(breach("src/weather.rs", "").contains("no place in the order"));
        assert!(breach("src/cli/mod.rs", "use crate::weather::Rain;").contains("no module of the order"));
    }
}
