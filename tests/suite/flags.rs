//! What the flags, the environment and the configuration do to a command, told by its exit code and its two streams.

use std::path::Path;

use tempfile::TempDir;

use crate::support::program::{Said, portzero, run, said};

/// What must not be printed.
const SECRET: &str = "c0rrect-h0rse";

const ONE_CONTAINER: &str = r#"{
  "family": "web",
  "networkMode": "bridge",
  "containerDefinitions": [
    {"name": "web", "image": "example/web:1", "memory": 128, "portMappings": [{"containerPort": 8080, "hostPort": 80}]}
  ]
}"#;

const TWO_CONTAINERS: &str = r#"{
  "family": "shop",
  "networkMode": "bridge",
  "containerDefinitions": [
    {"name": "web", "image": "example/web:1", "memory": 128, "portMappings": [{"containerPort": 8080, "hostPort": 0}]},
    {"name": "api", "image": "example/api:1", "memory": 128, "portMappings": [{"containerPort": 8081, "hostPort": 0}]}
  ]
}"#;

const ON_DEMO: &str = "rehearse --cluster demo --service web --task-definition web.json";

fn folder_with(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).expect("a file");
    }
    folder
}

fn folder() -> TempDir {
    folder_with(&[("web.json", ONE_CONTAINER), ("shop.json", TWO_CONTAINERS)])
}

fn in_folder(arguments: &str) -> Said {
    run(folder().path(), arguments)
}

/// The whole command line of a failure: its code, nothing on stdout, these words on stderr.
fn assert_fails(said: &Said, code: i32, words: &[&str]) {
    assert_eq!(said.code, Some(code), "{said:#?}");
    assert_eq!(
        said.stdout, "",
        "stdout carries what was asked for, and that there is not"
    );
    for words in words {
        assert!(said.stderr.contains(words), "`{words}` is missing: {said:#?}");
    }
}

#[test]
fn flags_alone_are_enough_to_rehearse() {
    let rehearsed = in_folder(&format!(
        "{ON_DEMO} --image web=example/web:2 --until healthy --format json"
    ));
    assert_eq!(rehearsed.code, Some(0), "{rehearsed:#?}");
    let result = rehearsed.json();
    assert_eq!(result["verdict"], "succeeded");
    assert_eq!(result["services"][0]["cluster"], "demo");
    let difference = result["services"][0]["task_definition"]["diff"].to_string();
    assert!(
        difference.contains("example/web:previous -> example/web:2"),
        "{difference}"
    );
}

#[test]
fn an_image_for_any_of_several_containers_is_asked_back() {
    for command in [
        "render",
        "rehearse --cluster demo --service shop",
        "rehearse --cluster demo --service shop --dry-run",
    ] {
        let code = if command == "render" { 2 } else { 3 };
        let refused = in_folder(&format!("{command} --task-definition shop.json --image other/thing:2"));
        assert_fails(
            &refused,
            code,
            &["containers  web, api", "--image CONTAINER=other/thing:2"],
        );
    }
}

#[test]
fn the_image_of_one_container_needs_no_name() {
    let rendered = in_folder("render --task-definition shop.json --image example/api:2");
    let containers = &rendered.json()["containerDefinitions"];
    assert_eq!(
        [&containers[0]["image"], &containers[1]["image"]],
        ["example/web:1", "example/api:2"]
    );
}

#[test]
fn an_unknown_container_is_told_the_nearest_one() {
    let refused = in_folder(&format!("{ON_DEMO} --image wob=example/web:2"));
    assert_fails(&refused, 3, &["no container `wob`", "did you mean `web`?"]);
}

#[test]
fn an_image_without_a_value_or_with_two_is_a_slip() {
    let folder = folder();
    let render = |images: &[&str]| {
        let mut command = portzero(folder.path());
        command.args(["render", "--task-definition", "web.json"]);
        for image in images {
            command.args(["--image", image]);
        }
        said(&mut command)
    };
    assert_fails(&render(&[""]), 2, &["without an image"]);
    assert_fails(&render(&["web="]), 2, &["got `web=` without an image"]);
    // A variable that is empty: "${CONTAINER}=example/web:2".
    let unnamed = "got `=example/web:2` with an empty CONTAINER";
    assert_fails(&render(&["=example/web:2"]), 2, &[unnamed]);
    // The action's input comes so.
    let mut command = portzero(folder.path());
    command
        .args(["render", "--task-definition", "web.json"])
        .env("PORTZERO_IMAGE", "web=example/web:2\n=example/web:2\n");
    assert_fails(&said(&mut command), 2, &[unnamed]);
    let twice = render(&["web=a:1", "web=a:2"]);
    assert_fails(
        &twice,
        2,
        &["container `web` is given two images", "first   a:1", "second  a:2"],
    );
    assert_eq!(render(&["web=a:1", "web=a:1"]).code, Some(0));
}

const TWO_SERVICES: &str = "version: 1
services:
  - { name: web, cluster: demo, task_definition: web.json }
  - { name: shop, cluster: demo, task_definition: shop.json }
  - { name: far, cluster: demo, images: { far: 'example/far:1' } }
";

#[test]
fn of_several_services_those_with_the_container_get_the_image() {
    let folder = folder_with(&[
        ("portzero.yml", TWO_SERVICES),
        ("web.json", ONE_CONTAINER),
        ("shop.json", TWO_CONTAINERS),
    ]);
    let planned = run(
        folder.path(),
        "rehearse --dry-run --format json --image web=example/web:2 --image far=example/far:2 --env api:A=b",
    );
    assert_eq!(planned.code, Some(0), "{planned:#?}");
    let plans = planned.json()["plans"].clone();
    let has = |plan: usize, words: &str| plans[plan]["diff"].to_string().contains(words);
    assert!(has(0, "example/web:2") && has(1, "example/web:2"), "{plans:#}");
    assert!(has(2, "example/far:2") && !has(0, "example/far:2"), "{plans:#}");
    assert!(has(1, "api].environment") && !has(0, "api].environment"), "{plans:#}");

    let ambiguous = run(folder.path(), "plan --image example/web:2");
    assert_fails(&ambiguous, 2, &["any of 3 services", "services  web, shop, far"]);
    let nobody = run(folder.path(), "plan --image wbe=example/web:2");
    assert_fails(
        &nobody,
        2,
        &["none of the services", "shop  api, web", "did you mean `web`?"],
    );
}

#[test]
fn a_mistake_in_the_file_is_none_that_runs_already() {
    let folder = folder_with(&[("web.json", &ONE_CONTAINER.replace("\"memory\"", "\"memmory\""))]);
    let refused = run(folder.path(), &format!("{ON_DEMO} --report result.json"));
    assert_fails(
        &refused,
        3,
        &["`memmory`", "did you mean `memory`?", "nothing was changed"],
    );
    let report = std::fs::read_to_string(folder.path().join("result.json")).expect("a report");
    assert!(report.contains("\"verdict\": \"refused\""), "{report}");
}

#[test]
fn a_report_that_cannot_be_written_is_found_before_anything_is_tried() {
    let refused = in_folder(&format!("{ON_DEMO} --report nowhere/result.json"));
    assert_fails(&refused, 2, &["--report cannot be written to nowhere/result.json"]);
    assert!(!refused.stderr.contains("rehearsal"), "{}", refused.stderr);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_device_loses_the_story_and_not_the_verdict() {
    let full = || {
        std::fs::File::options()
            .write(true)
            .open("/dev/full")
            .expect("a full device")
    };
    let folder = folder();
    let run = |arguments: &str, is_document_lost: bool| {
        let mut command = portzero(folder.path());
        command.args(arguments.split_whitespace());
        if is_document_lost {
            command.stdout(full());
        } else {
            command.stderr(full());
        }
        said(&mut command)
    };
    let rehearse = format!("{ON_DEMO} --until registered --format json");
    let unheard = run(&rehearse, false);
    assert_eq!(
        (unheard.code, &unheard.json()["verdict"]),
        (Some(0), &"succeeded".into())
    );
    for arguments in [
        rehearse.as_str(),
        &format!("{ON_DEMO} --dry-run"),
        "render --task-definition web.json",
    ] {
        let lost = run(arguments, true);
        assert_eq!(lost.code, Some(2), "{arguments}: {lost:#?}");
        assert!(lost.stderr.contains("stdout does not take"), "{lost:#?}");
    }
}

#[test]
fn a_span_without_a_unit_is_asked_for_one() {
    let refused = in_folder(&format!("{ON_DEMO} --timeout 15"));
    assert_fails(&refused, 2, &["--timeout", "did you mean 15m or 15s?"]);
}

#[test]
fn a_settle_span_that_the_timeout_has_no_room_for_is_refused() {
    let refused = in_folder(&format!("{ON_DEMO} --settle 1h --timeout 10m"));
    assert_fails(
        &refused,
        2,
        &["services  web", "a settle of 1h", "a timeout of 10m", "raise --timeout"],
    );
    let file = "version: 1\nservices:\n- { name: web, cluster: demo, task_definition: web.json, settle: 20m }\n";
    let folder = folder_with(&[("web.json", ONE_CONTAINER), ("portzero.yml", file)]);
    let refused = run(folder.path(), "rehearse web --timeout 20m");
    assert_fails(&refused, 2, &["--> portzero.yml:3:66", "a settle of 20m"]);
    let enough = run(folder.path(), "rehearse web --timeout 40m --dry-run");
    assert_eq!(enough.code, Some(0), "{enough:#?}");
}

#[test]
fn the_default_timeout_has_room_for_a_long_settle_span() {
    let planned = in_folder(&format!("{ON_DEMO} --settle 1h --dry-run --format json"));
    let ordinary = in_folder(&format!("{ON_DEMO} --dry-run --format json"));
    let timeout = |said: &Said| said.json()["plans"][0]["timeout_s"].as_u64().expect("seconds");
    assert_eq!(timeout(&planned), timeout(&ordinary) + 3600 - 10);
    let settled = in_folder(&format!("{ON_DEMO} --settle 1h"));
    assert_eq!(settled.code, Some(0), "{settled:#?}");
}

/// A device has no size.
#[cfg(target_os = "linux")]
#[test]
fn a_file_without_an_end_is_not_read_to_it() {
    for endless in [
        "rehearse --scenario /dev/zero",
        "rehearse --config /dev/zero",
        "render --task-definition /dev/zero",
    ] {
        let refused = in_folder(endless);
        let said = "/dev/zero cannot be read: it has more than 8388608 bytes, which are the limit";
        assert_fails(&refused, 2, &[said]);
    }
}

#[test]
fn no_revision_to_keep_is_no_number_of_revisions() {
    let flag = in_folder(&format!("{ON_DEMO} --keep-revisions 0"));
    assert_fails(&flag, 2, &["--keep-revisions", "at least 1", "go back to"]);
    let folder = folder();
    let mut command = portzero(folder.path());
    command.args(ON_DEMO.split(' ')).env("PORTZERO_KEEP_REVISIONS", "0");
    assert_fails(&said(&mut command), 2, &["at least 1", "PORTZERO_KEEP_REVISIONS"]);
}

#[test]
fn usage_has_an_exit_code_of_its_own() {
    for (arguments, words) in [
        ("", "Usage: portzero [OPTIONS] <COMMAND>"),
        ("deplyo", "'deploy'"),
        ("deploy --clutser demo", "'--cluster'"),
        ("deploy", "no service is named"),
        (
            "rehearse --service web --task-definition web.json",
            "no cluster is known",
        ),
        (
            "render --task-definition nothing.json",
            "error[config]: nothing.json cannot be read",
        ),
        (
            &format!("{ON_DEMO} --until health"),
            "one of registered, healthy, drained, stage:NAME, got",
        ),
        (&format!("{ON_DEMO} --until soon"), "soon"),
        (&format!("{ON_DEMO} --env web:NAME"), "CONTAINER:NAME=VALUE"),
    ] {
        assert_fails(&in_folder(arguments), 2, &[words]);
    }
}

#[test]
fn the_example_renders_to_json_with_a_free_host_port_and_nothing_else() {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/users/portzero.yml");
    let rendered = run(folder().path(), &format!("render --config {}", config.display()));
    assert_eq!(rendered.code, Some(0), "{rendered:#?}");
    let document = rendered.json();
    let service = &document["containerDefinitions"][0];
    assert_eq!(service["portMappings"][0]["hostPort"], 0);
    assert_eq!(
        service["image"],
        "111122223333.dkr.ecr.us-east-1.amazonaws.com/users:latest"
    );
    assert!(rendered.stderr.contains("hostPort 80 -> 0"), "{}", rendered.stderr);
    let newer = "111122223333.dkr.ecr.us-east-1.amazonaws.com/users:v2";
    let replaced = run(
        folder().path(),
        &format!("render --config {} --image {newer}", config.display()),
    );
    assert_eq!(
        replaced.json()["containerDefinitions"][0]["image"],
        newer,
        "the flag wins over the file"
    );
}

#[test]
fn a_file_alone_renders_as_it_is() {
    let rendered = in_folder("render --task-definition web.json");
    assert_eq!(rendered.code, Some(0), "{rendered:#?}");
    let written: serde_json::Value = serde_json::from_str(ONE_CONTAINER).expect("JSON");
    assert_eq!(rendered.json(), written);
    // Its host port is fixed, and whether it stays is for a plan to say.
    let notes = rendered.stderr.lines().filter(|line| line.starts_with("note["));
    assert_eq!(notes.count(), 1, "{rendered:#?}");
}

#[test]
fn a_dry_run_registers_nothing() {
    let planned = in_folder(&format!("{ON_DEMO} --image web=example/web:2 --dry-run"));
    assert_eq!(planned.code, Some(0), "{planned:#?}");
    assert!(
        planned.stdout.starts_with("plan for web in demo: web:1 -> web:(new)\n"),
        "{planned:#?}"
    );
    let story: Vec<&str> = planned.stderr.lines().collect();
    assert!(
        matches!(story[..], [world, balancer] if world.starts_with("rehearsal on a simulated cluster `demo`")
            && balancer.ends_with("makes up a target group for port 8080 of container `web`")),
        "no more than where it is rehearsed: {planned:#?}"
    );
}

#[test]
fn a_seed_is_a_story() {
    let told = |seed: u32| {
        let rehearsed = in_folder(&format!("{ON_DEMO} --until healthy --format json --seed {seed}"));
        assert_eq!(rehearsed.code, Some(0), "{rehearsed:#?}");
        (rehearsed.stdout, rehearsed.stderr)
    };
    let seventh = told(7);
    assert_eq!(seventh, told(7));
    let eighth = told(8);
    assert_ne!(seventh.0, eighth.0);
    assert_ne!(seventh.1, eighth.1);
}

#[test]
fn the_value_of_an_environment_entry_is_never_printed() {
    let folder = folder();
    let value = format!("--env web:TOKEN={SECRET}");
    for more in [
        "--dry-run",
        "--dry-run --format json",
        "--until healthy",
        "--until healthy --format json --report result.json",
        "--until healthy --fault crash-loop",
        "--timeout 15",
        "--image wob=example/web:2",
    ] {
        let said = run(folder.path(), &format!("{ON_DEMO} {value} {more}"));
        assert!(!format!("{said:?}").contains(SECRET), "{more}: {said:#?}");
    }
    let report = std::fs::read_to_string(folder.path().join("result.json")).expect("a report");
    assert!(report.contains("TOKEN") && !report.contains(SECRET), "{report}");
    for malformed in [SECRET, &format!("web={SECRET}"), &format!("wob:TOKEN={SECRET}")] {
        let said = run(folder.path(), &format!("{ON_DEMO} --env {malformed}"));
        assert_ne!(said.code, Some(0), "{malformed}");
        assert!(!format!("{said:?}").contains(SECRET), "{malformed}: {said:#?}");
    }
}

#[test]
fn an_environment_entry_without_a_name_is_a_slip() {
    for (entry, said) in [
        ("web:", "got `web:=` with an empty NAME"),
        (":TOKEN", "got `:TOKEN=` with an empty CONTAINER"),
    ] {
        let refused = in_folder(&format!("{ON_DEMO} --env {entry}={SECRET}"));
        assert_fails(&refused, 2, &[said]);
        assert!(!refused.stderr.contains(SECRET), "{refused:#?}");
    }
}

#[test]
fn the_environment_names_the_configuration_and_a_flag_wins() {
    let config = |image: &str| {
        format!(
            "version: 1\nservices:\n  - name: web\n    cluster: demo\n    task_definition: web.json\n    \
             images: {{ web: \"{image}\" }}\n"
        )
    };
    let folder = folder_with(&[
        ("web.json", ONE_CONTAINER),
        ("first.yml", &config("example/web:first")),
        ("second.yml", &config("example/web:second")),
    ]);
    let image = |arguments: &[&str]| {
        let rendered = said(
            portzero(folder.path())
                .arg("render")
                .args(arguments)
                .env("PORTZERO_CONFIG", "first.yml"),
        );
        rendered.json()["containerDefinitions"][0]["image"].clone()
    };
    assert_eq!(image(&[]), "example/web:first");
    assert_eq!(image(&["--config", "second.yml"]), "example/web:second");
}

#[test]
fn variables_say_yes_in_many_words_and_an_empty_one_says_nothing() {
    let folder = folder();
    let with = |name: &str, value: &str| {
        let mut command = portzero(folder.path());
        command.args(ON_DEMO.split_whitespace()).arg("--until=registered");
        said(command.env(name, value))
    };
    for (value, is_dry) in [
        ("1", true),
        ("Yes", true),
        ("ON", true),
        ("0", false),
        ("off", false),
        ("", false),
    ] {
        let rehearsed = with("PORTZERO_DRY_RUN", value);
        assert_eq!(rehearsed.code, Some(0), "{value}: {rehearsed:#?}");
        assert_eq!(rehearsed.stdout.starts_with("plan for web"), is_dry, "{value}");
    }
    for name in [
        "PORTZERO_TIMEOUT",
        "PORTZERO_IMAGE",
        "PORTZERO_FORMAT",
        "PORTZERO_CONFIG",
        "PORTZERO_REPORT",
    ] {
        assert_eq!(with(name, "").code, Some(0), "{name}");
    }
    for (name, value) in [
        ("PORTZERO_QUIET", "perhaps"),
        ("PORTZERO_TIMEOUT", "15"),
        ("PORTZERO_FORMAT", "xml"),
    ] {
        assert_fails(&with(name, value), 2, &[name, value]);
    }
}

#[test]
fn the_faults_are_listed_where_one_is_asked_for() {
    let help = in_folder("rehearse --help");
    assert!(help.stdout.contains("  crash-loop  "), "{}", help.stdout);
}

#[test]
fn a_wrong_key_is_told_with_its_place_and_the_nearest_right_one() {
    let folder = folder_with(&[(
        "portzero.yml",
        "version: 1\nservices:\n  - name: web\n    cluster: demo\n    task_definiton: web.json\n",
    )]);
    let refused = run(folder.path(), "plan");
    assert_fails(
        &refused,
        2,
        &[
            "unknown key `task_definiton`",
            "--> portzero.yml:5:5",
            "did you mean `task_definition`?",
        ],
    );
}

#[test]
fn missing_variables_are_told_all_at_once() {
    let folder = folder_with(&[(
        "portzero.yml",
        "version: 1\nservices:\n  - name: web\n    cluster: \"${CLUSTER_A}\"\n    task_definition: web.json\n    \
         images: { web: \"${REGISTRY_B}/web:${TAG_C}\" }\n",
    )]);
    let refused = run(folder.path(), "render");
    assert_fails(
        &refused,
        2,
        &[
            "3 variables have no value: CLUSTER_A, REGISTRY_B, TAG_C",
            "portzero.yml:4:14",
            "portzero.yml:6:20",
        ],
    );
    let refused = run(folder.path(), "render --var CLUSTER_A=a --var TAG_C=c");
    assert_fails(&refused, 2, &["REGISTRY_B"]);
    assert!(!refused.stderr.contains("TAG_C"), "{}", refused.stderr);
}
