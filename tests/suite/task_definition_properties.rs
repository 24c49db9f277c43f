//! What holds for every task definition: nothing is lost, nothing panics, and rendering changes no meaning unasked.

use std::str::FromStr;

use portzero_core::task_definition::{
    Document, DynamicPorts, EnvironmentChange, Format, ImageChange, LoadBalancedPort, RenderOptions, check, diff,
    is_same_content, redact, render,
};
use proptest::prelude::*;
use serde_json::{Map, Number, Value, json};

/// Numbers as files have them: their text must come out as it went in.
fn number() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        any::<i64>().prop_map(|n| n.to_string()),
        "[1-9][0-9]{0,30}",
        "-?(0|[1-9][0-9]{0,5})\\.[0-9]{1,8}",
        "[1-9][0-9]{0,3}[eE][+-]?[0-9]{1,2}",
    ];
    text.prop_map(|text| Value::Number(Number::from_str(&text).expect("a JSON number")))
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        number(),
        any::<String>().prop_map(Value::String)
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            prop::collection::vec(("[a-zA-Z_][a-zA-Z0-9_.-]{0,12}", inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// An object without keys that portzero drops or reads (those have capitals or are known words; `x` in front avoids both).
fn foreign_object() -> impl Strategy<Value = Value> {
    let members = prop::collection::vec(("x[a-zA-Z0-9]{0,8}", value()), 0..8);
    members.prop_map(|members| Value::Object(members.into_iter().collect()))
}

/// Everything that can be done with a document; only that it ends matters.
fn exercise(document: &Document) {
    check(document, Some(document.value()), false);
    check(document, None, true);
    let images = [ImageChange {
        container: None,
        image: "web:2".into(),
    }];
    let environment = [EnvironmentChange {
        container: "web".into(),
        name: "LOG".into(),
        value: "debug".into(),
    }];
    let ports = [LoadBalancedPort {
        container: "web".into(),
        port: 5000,
        classic: false,
    }];
    for dynamic_ports in [DynamicPorts::LoadBalanced, DynamicPorts::All, DynamicPorts::Keep] {
        let everything = RenderOptions {
            images: &images,
            environment: &environment,
            dynamic_ports,
            load_balanced: &ports,
        };
        let nothing = RenderOptions {
            dynamic_ports,
            ..Default::default()
        };
        for options in [everything, nothing] {
            if let Ok(rendered) = render(document, &options) {
                diff(document.value(), &rendered.document, false);
            }
        }
    }
    redact(document.value(), true);
}

/// A whole task definition, in which each test replaces one thing by another.
fn whole() -> Value {
    json!({
        "family": "web", "networkMode": "bridge", "cpu": "256", "memory": "512", "taskRoleArn": "arn:aws:iam::111122223333:role/x",
        "requiresCompatibilities": ["EC2"], "tags": [{"key": "team", "value": "a"}], "revision": 3,
        "volumes": [{"name": "data", "efsVolumeConfiguration": {"fileSystemId": "fs-1", "rootDirectory": "/"}}],
        "proxyConfiguration": {"containerName": "web", "properties": [{"name": "AppPorts", "value": "1"}]},
        "containerDefinitions": [{
            "name": "web", "image": "web:1", "memory": 128, "memoryReservation": 64, "links": ["db:db"], "command": ["a", "--token", "b"],
            "portMappings": [{"containerPort": 5000, "hostPort": 80, "protocol": "tcp"}, {"containerPortRange": "10-20"}],
            "environment": [{"name": "A", "value": "postgres://u:p@h/"}], "secrets": [{"name": "B", "valueFrom": "arn"}],
            "dependsOn": [{"containerName": "db", "condition": "START"}], "mountPoints": [{"sourceVolume": "data", "containerPath": "/x"}],
            "healthCheck": {"command": ["CMD", "x"], "interval": 30}, "logConfiguration": {"logDriver": "awslogs", "options": {"a": "b"}}
        }, {"name": "db", "image": "db:1", "memory": 64}]
    })
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(map) => map.values().map(count).sum(),
        _ => 0,
    }
}

/// Replaces the value number `at`, counted in the order of the document.
fn replace(value: &mut Value, at: &mut usize, by: &Value) {
    if *at == 0 {
        *value = by.clone();
        *at = usize::MAX;
        return;
    }
    *at -= 1;
    let visit = |member: &mut Value, at: &mut usize| {
        if *at != usize::MAX {
            replace(member, at, by);
        }
    };
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| visit(item, at)),
        Value::Object(map) => map.values_mut().for_each(|member| visit(member, at)),
        _ => {}
    }
}

/// Pieces of JSON and YAML, so that random texts get past the first character.
fn soup() -> impl Strategy<Value = String> {
    let pieces = [
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        ": ",
        "\n",
        "\n  ",
        "\n    ",
        "- ",
        "\"",
        "'",
        "&a ",
        "*a",
        "<<: ",
        "!x ",
        "!!str ",
        "|",
        ">",
        "#",
        "---\n",
        "...",
        "%",
        "null",
        "~",
        "1E3",
        "-",
        "0x1",
        "true",
        "\"containerDefinitions\"",
        "containerDefinitions:",
        "\"portMappings\"",
        "name: ",
        "hostPort: 0",
        "\"taskDefinition\"",
        "\u{feff}",
        "\0",
        "é",
        "\t",
        "\r\n",
        "? ",
        "<A>",
        "${B}",
    ];
    let pieces: Vec<String> = pieces.into_iter().map(str::to_owned).collect();
    prop::collection::vec(prop::sample::select(pieces), 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn json_comes_out_as_it_went_in(object in foreign_object()) {
        let text = object.to_string();
        let document = Document::read(&text, "web.json", Format::Json).expect("it is JSON");
        let rendered = render(&document, &RenderOptions::default()).expect("nothing is asked");
        prop_assert_eq!(rendered.document.to_string(), text);
        prop_assert!(rendered.changes.is_empty());
    }

    #[test]
    fn no_text_makes_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), soup in soup()) {
        for text in [String::from_utf8_lossy(&bytes).into_owned(), soup] {
            for format in [Format::Json, Format::Yaml] {
                match Document::read_with_family(&text, "web", format, Some("web")) {
                    Ok(document) => exercise(&document),
                    Err(findings) => prop_assert!(!findings.is_empty()),
                }
            }
        }
    }

    #[test]
    fn no_wrong_value_makes_anything_panic(at in any::<prop::sample::Index>(), by in value()) {
        let mut document = whole();
        let mut at = at.index(count(&document));
        replace(&mut document, &mut at, &by);
        exercise(&Document::from_value(document.clone(), "web:3"));
        let text = serde_json::to_string_pretty(&document).expect("JSON");
        for format in [Format::Json, Format::Yaml] {
            if let Ok(document) = Document::read(&text, "web", format) {
                exercise(&document);
            }
        }
    }

    #[test]
    fn rendering_changes_no_meaning_unasked(at in any::<prop::sample::Index>(), by in value()) {
        let mut document = whole();
        let mut at = at.index(count(&document));
        replace(&mut document, &mut at, &by);
        let document = Document::from_value(document, "web:3");
        if let Ok(rendered) = render(&document, &RenderOptions::default()) {
            prop_assert!(is_same_content(document.value(), &rendered.document));
            prop_assert_eq!(diff(document.value(), &rendered.document, false), vec![]);
        }
    }

    #[test]
    fn the_same_content_is_exactly_no_difference(at in any::<prop::sample::Index>(), by in value()) {
        let before = whole();
        let mut after = whole();
        replace(&mut after, &mut at.index(count(&before)), &by);
        prop_assert_eq!(diff(&before, &after, false).is_empty(), is_same_content(&before, &after));
    }

    #[test]
    fn json_that_is_also_yaml_means_the_same(texts in prop::collection::vec("[ -~]{0,20}", 1..6)) {
        let labels: Map<String, Value> = texts.iter().enumerate().map(|(n, text)| (format!("l{n}"), text.as_str().into())).collect();
        let mut document = whole();
        document["containerDefinitions"][0]["dockerLabels"] = Value::Object(labels);
        let text = document.to_string();
        let json = Document::read(&text, "web.json", Format::Json).expect("JSON");
        let yaml = Document::read(&text, "web.yml", Format::Yaml).expect("JSON is YAML");
        prop_assert_eq!(json.value().to_string(), yaml.value().to_string());
    }
}
