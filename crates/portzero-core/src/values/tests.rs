//! In which forms a value is found.

use serde_json::json;

use super::Values;

const SECRET: &str = "p&ss \"w/rd\" ä'x\\y<z>";

fn hidden(text: &str) -> String {
    [SECRET].into_iter().collect::<Values>().hide(text).into_owned()
}

#[test]
fn a_value_is_found_in_every_encoding_and_in_encodings_of_encodings() {
    let json = json!(SECRET).to_string();
    let twice = json!({"log": json}).to_string();
    let percent: String = SECRET.bytes().map(|b| format!("%{b:02X}")).collect();
    let entities = SECRET.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let numbered: String = SECRET.chars().map(|c| format!("&#{};", u32::from(c))).collect();
    let shell = format!("'{}'", SECRET.replace('\'', "'\\''"));
    let dollar = "$'p&ss \"w/rd\" \\303\\244\\'x\\\\y<z>'";
    let wide: String = SECRET.chars().flat_map(|c| ['\u{200b}', c]).collect();
    let ascii = "p\\u0026ss \\\"w\\/rd\\\" \\u00e4'x\\\\y\\u003cz\\u003e";
    let hex: String = SECRET.bytes().map(|b| format!("{b:02x}")).collect();
    for text in [
        SECRET, &json, &twice, &percent, &entities, &numbered, &shell, dollar, &wide, ascii, &hex,
    ] {
        let shown = hidden(&format!("before {text} after"));
        assert!(
            shown.starts_with("before ") && shown.ends_with(" after") && shown.contains("***"),
            "{text}: {shown}"
        );
        for part in ["w/rd", "ss", "w\\/rd", "w%2Frd", "%77", "2f72", "&#119;"] {
            assert!(!shown.contains(part), "{text}: {shown}");
        }
    }
}

#[test]
fn base64_is_found_wherever_it_begins() {
    let values: Values = ["correct-horse-battery"].into_iter().collect();
    for text in [
        "Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5",
        "dTpjb3JyZWN0LWhvcnNlLWJhdHRlcnk=",
        "YTpjb3JyZWN0\nLWhvcnNlLWJh\ndHRlcnk6eA==",
        "dXNlcjpjb3JyZWN0LWhvcnNlLWJhdHRlcnk=",
    ] {
        let shown = values.hide(text);
        assert!(shown.contains("***") && shown.len() < 14, "{text}: {shown}");
    }
}

#[test]
fn what_was_cut_off_is_found_by_its_beginning() {
    let values: Values = ["correct-horse-battery"].into_iter().collect();
    assert_eq!(values.hide("says `correct-hor…` (cut)"), "says `***…` (cut)");
    assert_eq!(values.hide("correct-hor"), "correct-hor");
}

#[test]
fn values_of_a_definition_are_hidden_and_its_names_stay() {
    let mut values = Values::default();
    values.add_definition(&json!({"family": "users-service", "containerDefinitions": [{
        "name": "web", "image": "example/users:42", "environment": [
            {"name": "SERVICE", "value": "users-service"},
            {"name": "MODE", "value": "production"},
            {"name": "REGION", "value": "us-east-1"},
            {"name": "PASSWORD", "value": "longword"},
            {"name": "DB", "value": "postgres://u:hunter2hunter2@db/x"},
            {"name": "KEY", "value": "first-line-1\nsecond-line-2\n"},
        ],
    }]}));
    assert_eq!(
        values.hide("users-service production us-east-1 longword hunter2hunter2 second-line-2 first-line-1"),
        "users-service production us-east-1 *** *** *** ***"
    );
    assert_eq!(values.hide("first-line-1 ⏎ second-line-2"), "***");
    values.allow("the address https://x/first-line-1");
    assert_eq!(values.hide("first-line-1"), "first-line-1");
}

#[test]
fn short_words_and_stand_ins_stay() {
    let values: Values = ["short", "portzero", "********"].into_iter().collect();
    assert!(values.is_empty());
    assert!(!format!("{:?}", [SECRET].into_iter().collect::<Values>()).contains("w/rd"));
}
