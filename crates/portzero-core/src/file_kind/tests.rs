use super::*;

fn said(text: &str, file: &str, wanted: Wanted, is_read: bool) -> Option<String> {
    let found = recognise(text, file, wanted, is_read)?;
    let finding = found.finding(file, wanted);
    let at = finding.location.map(|at| format!("{}:{} ", at.line, at.column));
    Some(at.unwrap_or_default() + &finding.summary)
}

#[test]
fn p16_what_is_as_it_should_be_is_nothing_else() {
    for (text, file, wanted) in [
        (
            "{\"family\": \"web\", \"containerDefinitions\": []}",
            "a.json",
            Wanted::TaskDefinition,
        ),
        (
            "version: 1\nservices: [{name: web}]\n",
            "portzero.yml",
            Wanted::Configuration,
        ),
        (
            "services: [{name: web, image: x}]\n",
            "portzero.yml",
            Wanted::Configuration,
        ),
        ("services: []\nfaults: []\n", "world.yml", Wanted::Scenario),
        ("just text\n", "portzero.yml", Wanted::Configuration),
    ] {
        assert_eq!(said(text, file, wanted, true), None, "{text}");
    }
}

/// A slip in JSON is no other language.
#[test]
fn p16_broken_json_stays_json() {
    for text in [
        "{\n  \"family\": \"web\"\n  \"containerDefinitions\": []\n}\n",
        "{\n  \"family\": \"web\",\n  \"memory\": #{MEMORY}\n}\n",
        "{\n  \"family\": {{ family }},\n  \"cpu\": ${CPU}\n}\n",
        "{\n  {{ if eq .Stage \"x: y\" }}\n  \"family\": \"web\",\n  {{ end }}\n}\n",
        "{\n  \"image\": \"https://a/#b\",\n  \"a\": \"it's\",\n}\n",
        "{\n  \"command\": [\"std.x // local a = 1; # family: web\"],\n}\n",
    ] {
        assert_eq!(said(text, "web.json", Wanted::TaskDefinition, false), None, "{text}");
    }
}

/// The marks may be part of a text, for example of a script in a block.
#[test]
fn p16_a_single_mark_of_a_conflict_is_none() {
    let text = "family: web\n=======\n";
    assert_eq!(said(text, "web.yml", Wanted::TaskDefinition, false), None);
}

#[test]
fn p16_every_kind_that_is_found_in_a_text_has_its_place() {
    for (text, file, wanted) in [
        (
            "{\n  // a\n  \"a\": 1\n}",
            "a.json",
            "2:3 `a.json` is JSON with comments, which JSON does not have",
        ),
        (
            "\n\nlocal a = 1;\n{}",
            "a.json",
            "3:1 `a.json` is Jsonnet, not a task definition",
        ),
        (
            "{\n  a: std.x,\n}",
            "a.json",
            "2:6 `a.json` is Jsonnet, not a task definition",
        ),
        (
            "{\n  a: b c\n}",
            "a.json",
            "2:3 `a.json` is Hjson, not a task definition",
        ),
        (
            "{\n  a: 'b',\n}",
            "a.json",
            "2:3 `a.json` is not JSON: a name is not in double quotes, as JSON5 allows",
        ),
        (
            "<<<<<<< a\n=======\n>>>>>>> b\n",
            "a.json",
            "1:1 `a.json` holds a merge conflict that is not resolved",
        ),
        (
            "family: web\n",
            "a.json",
            "1:1 `a.json` is YAML, and its name says JSON",
        ),
        (" \n", "a.json", "1:1 `a.json` is empty"),
    ] {
        assert_eq!(
            said(text, file, Wanted::TaskDefinition, false).as_deref(),
            Some(wanted),
            "{text}"
        );
    }
}
