//! Puts an answer that a command line tool printed back into the form that it had on the wire.

use serde_json::Value;

use super::loopback::Answer;

/// A recorded ECS answer as ECS sends it, with a member that no SDK knows.
pub fn wire(text: &str) -> Answer {
    Answer::json(epochs(text).replacen('{', r#"{"memberOfTomorrow":{"a":[1.0E-7,null]},"#, 1))
}

pub fn epochs(text: &str) -> String {
    let mut answer: Value = serde_json::from_str(text).expect("JSON");
    times_to_epochs(&mut answer);
    answer.to_string()
}

/// Every member whose name ends in `At` becomes a number with an exponent, as the raw body of recording 47 has them.
fn times_to_epochs(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(times_to_epochs),
        Value::Object(members) => {
            for (name, member) in members {
                if name.ends_with("At") && !member.is_null() {
                    *member = serde_json::from_str(&format!("{:E}", seconds(member))).expect("a number");
                } else {
                    times_to_epochs(member);
                }
            }
        }
        _ => {}
    }
}

fn seconds(time: &Value) -> f64 {
    let Some(text) = time.as_str() else {
        return time.as_f64().expect("a time");
    };
    let at = text.parse::<jiff::Timestamp>().or_else(|_| format!("{text}Z").parse());
    let at = at.expect("an ISO time");
    at.as_millisecond() as f64 / 1000.0
}

/// A recorded ELB answer in the Query protocol's form: members become elements, items `<member>`.
pub fn query(operation: &str, text: &str) -> Answer {
    let answer: Value = serde_json::from_str(text).expect("JSON");
    Answer::xml(format!(
        "<{operation}Response xmlns=\"http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/\">\
         <{operation}Result>{}<MemberOfTomorrow>x</MemberOfTomorrow></{operation}Result>\
         <ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></{operation}Response>",
        elements(&answer)
    ))
}

fn elements(value: &Value) -> String {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, member)| format!("<{name}>{}</{name}>", elements(member)))
            .collect(),
        Value::Array(items) => items
            .iter()
            .map(|item| format!("<member>{}</member>", elements(item)))
            .collect(),
        Value::String(text) => text.replace('&', "&amp;").replace('<', "&lt;"),
        other => other.to_string(),
    }
}
