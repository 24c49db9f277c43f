//! With a reader whose model is a few lines.

use super::*;
use serde_json::json;

/// A reader with a model of its own: `cpu` is a text, `exitCode` and `runningCount` are numbers, `tags` a list.
fn model(answer: &Value) -> Option<Value> {
    let is_read = match answer {
        Value::Object(members) => members.iter().all(|(name, value)| match name.as_str() {
            "cpu" => value.is_string(),
            "exitCode" | "runningCount" => value.is_number(),
            "tags" => value.is_array(),
            _ => model(value).is_some(),
        }),
        Value::Array(items) => items.iter().all(|item| model(item).is_some()),
        _ => true,
    };
    is_read.then(|| answer.clone())
}

fn read(answer: &Value) -> Result<Value, String> {
    read_again(answer, 100, model).map_err(|unreadable| unreadable.to_string())
}

#[test]
fn a_member_of_another_type_is_read_as_what_it_says() {
    let answer = json!({"tasks": [
        {"cpu": "256", "containers": [{"cpu": 0, "exitCode": "137"}, {"cpu": "10", "exitCode": 1}]},
        {"cpu": "512", "containers": []},
    ]});
    let meant = json!({"tasks": [
        {"cpu": "256", "containers": [{"cpu": "0", "exitCode": 137}, {"cpu": "10", "exitCode": 1}]},
        {"cpu": "512", "containers": []},
    ]});
    assert_eq!(read(&answer), Ok(meant));
}

#[test]
fn a_member_that_nobody_needs_takes_nothing_else_along() {
    let answer = json!({"services": [{"tags": {"team": "web"}, "cpu": {"units": 1}, "runningCount": 2}]});
    assert_eq!(read(&answer), Ok(json!({"services": [{"runningCount": 2}]})));
}

#[test]
fn a_member_that_a_verdict_rests_on_is_read_or_named_without_its_value() {
    let quoted = json!({"services": [{"runningCount": "2"}]});
    assert_eq!(read(&quoted), Ok(json!({"services": [{"runningCount": 2}]})));
    let secret = json!({"services": [{"cpu": 1, "runningCount": "s3cr3t"}, {"runningCount": 1}]});
    let named =
        "the answer cannot be read: `services[].runningCount` has another JSON type than in AWS's model".to_owned();
    assert_eq!(read(&secret), Err(named));
}

#[test]
fn an_answer_that_is_wrong_all_over_is_given_up() {
    let wrong = (0..500).map(|n| (format!("task{n}"), json!({"cpu": n})));
    let refused = read(&Value::Object(wrong.collect()));
    assert!(refused.is_err_and(|words| words.ends_with("too much of it is not as in AWS's model")));
}

/// Members that only speak of what is decided without them: words, kinds of resources, and what a request has.
const SPEAKS: &str = "
    action agentConnected attributes availabilityZone base cluster clusterArns containerInstance cpuArchitecture detail
    enabled endpoint events expiresAt family familyPrefix filter forceNewDeployment hookId image include integerValue launchType
    maxResults message overrides portName reason registeredResources remainingResources revision roleArn runtimeId
    runtimePlatform service serviceConnectConfiguration serviceUrl sort statusReason stopType stringSetValue targetArn
    timeoutAction volumeConfigurations";

#[test]
fn each_member_that_is_read_decides_or_only_speaks() {
    let model: Value = serde_json::from_str(include_str!("../../../../tools/aws-model.json")).expect("JSON");
    let shapes = model["ecs"]["members"].as_object().expect("shapes");
    let members = shapes.values().flat_map(|names| names.as_array().expect("names"));
    let members: BTreeSet<&str> = members.map(|name| name.as_str().expect("a name")).collect();
    let sources = [
        include_str!("../ecs.rs"),
        include_str!("../read_ecs.rs"),
        include_str!("../read_managed.rs"),
        include_str!("../read_strategy.rs"),
    ];
    let code = sources.map(|source| source.split("#[cfg(test)]").next().expect("code"));
    let calls = code.iter().flat_map(|code| code.split(['.', ':']).skip(1));
    let names = calls.map(|rest| {
        rest.trim_start_matches("r#")
            .split(|c: char| !c.is_alphanumeric() && c != '_')
    });
    let called: BTreeSet<String> = names
        .filter_map(|mut words| Some(words.next()?.replace('_', "")))
        .collect();
    let read = members
        .into_iter()
        .filter(|member| called.contains(&member.to_ascii_lowercase()));
    let read: BTreeSet<&str> = read.collect();
    let sorted: BTreeSet<&str> = DECIDES.split_whitespace().chain(SPEAKS.split_whitespace()).collect();
    assert_eq!(read, sorted);
}
