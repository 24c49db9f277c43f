//! docs/success.md has the table of what success asks for, goal by goal, as the observer has it.

use portzero_core::aws_model::service::Stage;
use portzero_core::rollout::Until;
use portzero_core::rollout::view::success::Asked;

#[test]
fn the_table_of_the_page_is_that_of_the_program() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/success.md");
    let page = std::fs::read_to_string(path).expect("the page");
    let rows = page.lines().filter(|line| line.starts_with("| "));
    let cells = |row: &str| -> Vec<String> {
        let cells = row.trim_matches('|').split('|');
        cells.map(|cell| cell.trim().trim_matches('`').to_owned()).collect()
    };
    let mut table = rows.map(cells);
    let goals = [
        Until::Registered,
        Until::Healthy,
        Until::Drained,
        Until::Stage(Stage::BakeTime),
    ];
    let heading = table.next().expect("a heading");
    assert_eq!(heading[1..], goals.map(|goal| goal.as_str().to_owned()));
    let told: Vec<Vec<String>> = table.map(|row| row[1..].to_vec()).collect();
    let asked = Asked::ALL.map(|asked| {
        let words = goals.map(|goal| if asked.is_asked(goal) { "yes" } else { "no" });
        words.map(str::to_owned).to_vec()
    });
    assert_eq!(told, asked);
}
