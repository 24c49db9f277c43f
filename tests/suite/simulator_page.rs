//! docs/simulator.md says what the simulator does: its faults, its control routes, its operations.

use std::collections::BTreeSet;

use portzero_sim::fault_names;

fn page() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/simulator.md")).expect("the page")
}

/// The first cells of the table's rows below a heading: "| `name` | ..." or "| `a`, `b` | ...".
fn rows(heading: &str) -> BTreeSet<String> {
    let page = page();
    let below = page
        .split(&format!("\n{heading}\n"))
        .nth(1)
        .unwrap_or_else(|| panic!("no {heading}"));
    let section = below.split("\n## ").next().unwrap_or_default();
    let cells = section
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next().map(str::to_owned));
    cells.collect()
}

#[test]
fn the_faults_of_the_page_are_those_of_the_program() {
    let known: BTreeSet<String> = fault_names().into_iter().map(|(name, _)| name.to_owned()).collect();
    assert_eq!(rows("## Faults"), known);
}

#[test]
fn the_control_routes_of_the_page_are_those_of_the_program() {
    let url = crate::served::serve(crate::wire::SCENARIO, 0);
    let routes = crate::support::http::control(&url, "GET", "", "");
    let routes = routes["routes"].as_array().expect("routes");
    let known: BTreeSet<String> = routes
        .iter()
        .map(|r| r["route"].as_str().expect("a route").to_owned())
        .collect();
    assert_eq!(rows("## Control routes"), known);
}

#[test]
fn the_hostile_texts_of_the_page_are_those_of_the_program() {
    let page = page();
    let section = page
        .split("\n### Hostile texts\n")
        .nth(1)
        .and_then(|rest| rest.split("\n#").next())
        .expect("a section");
    for what in portzero_sim::hostile_texts() {
        assert!(section.contains(what), "{what}");
    }
}
