//! Files as people have them: what a template left behind, what is too short, and what cannot be known yet.

use std::collections::BTreeMap;

use portzero::config;
use portzero_core::base::finding::Finding;
use portzero_core::task_definition::{Document, RenderOptions, check, is_same_content, render};
use serde_json::json;

use crate::support::http::control;
use crate::support::program::{self, Simulator, portzero, run};

fn refusal(text: &str) -> Vec<Finding> {
    let read = config::read(text, "portzero.yml", &|_| None, &BTreeMap::new(), None, None);
    read.map(|_| ()).expect_err("it is refused")
}

#[test]
fn p04_a_choice_that_a_template_left_empty_is_left_out() {
    let document = json!({"family": "web", "pidMode": "", "ipcMode": "", "networkMode": "", "containerDefinitions": [
        {"name": "web", "image": "web:1", "memory": 64, "versionConsistency": "", "workingDirectory": "",
         "environment": [{"name": "pidMode", "value": ""}],
         "portMappings": [{"containerPort": 80, "appProtocol": ""}]},
    ]});
    let document = Document::from_value(document, "web");
    assert_eq!(check(&document, None, false), []);
    let rendered = render(&document, &RenderOptions::default()).expect("it renders");
    assert_eq!(
        rendered.document,
        json!({"family": "web", "containerDefinitions": [
            {"name": "web", "image": "web:1", "memory": 64, "workingDirectory": "",
             "environment": [{"name": "pidMode", "value": ""}], "portMappings": [{"containerPort": 80}]},
        ]})
    );
    assert!(
        is_same_content(document.value(), &rendered.document),
        "and that is no difference"
    );
    let dropped = rendered
        .changes
        .iter()
        .filter(|change| change.what.contains("it is empty"));
    assert_eq!(dropped.count(), 5);
}

/// The instances of a rehearsal have room for the task, whichever of its sizes says how large it is.
#[test]
fn p08_a_task_with_a_size_of_its_own_is_rehearsed_on_instances_that_have_room_for_it() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, size, container) in [
        ("memory", json!({"memory": "6144"}), json!({})),
        ("cpu", json!({"cpu": "4 vCPU"}), json!({"memory": 128})),
        ("both", json!({"cpu": "4096", "memory": "16 GB"}), json!({})),
    ] {
        let mut document = json!({"family": "web", "networkMode": "bridge", "containerDefinitions": [
            {"name": "web", "image": "web:1", "portMappings": [{"containerPort": 80}]},
        ]});
        document
            .as_object_mut()
            .expect("an object")
            .extend(size.as_object().expect("an object").clone());
        let only = document["containerDefinitions"][0].as_object_mut().expect("an object");
        only.extend(container.as_object().expect("an object").clone());
        std::fs::write(folder.path().join("web.json"), document.to_string()).expect("a file");
        let said = run(
            folder.path(),
            "rehearse --cluster shop --service web --task-definition web.json",
        );
        assert_eq!(said.code, Some(0), "{name}: {said:#?}");
    }
}

#[test]
fn p14_render_says_which_host_port_only_a_plan_can_decide() {
    let folder = tempfile::tempdir().expect("a folder");
    let document = json!({"family": "web", "containerDefinitions": [
        {"name": "web", "image": "web:1", "memory": 64, "portMappings": [{"containerPort": 80, "hostPort": 8080}]},
    ]});
    std::fs::write(folder.path().join("web.json"), document.to_string()).expect("a file");
    let note = "host port 8080 of container `web` stays here; `plan` and `deploy` make it dynamic";
    let said = |flags: &str| run(folder.path(), &format!("render --task-definition web.json {flags}"));
    let open = said("");
    assert!(open.stderr.contains(note) && open.stdout.contains("8080"), "{open:#?}");
    for flags in ["--dynamic-ports all", "--dynamic-ports keep"] {
        assert!(!said(flags).stderr.contains(note), "{flags}");
    }
}

#[test]
fn p13_a_file_without_any_service_is_refused() {
    let [finding] = &refusal("version: 1\nservices: []\n")[..] else {
        panic!("one finding")
    };
    let at = finding.location.as_ref().map(|at| (at.line, at.column));
    assert_eq!(at, Some((2, 11)));
    assert_eq!(
        finding.summary,
        "services: there is no service in it, so nothing would be deployed"
    );
}

#[test]
fn p12_a_variable_that_environments_give_is_told_with_them_where_none_is_chosen() {
    let file = "version: 1
environments:
  staging: { cluster: shop-staging, vars: { TAG: edge } }
  production: { cluster: shop, vars: { TAG: stable } }
  lab: { cluster: lab }
services:
  - { name: web, images: { web: 'example/web:${TAG}' } }
";
    let findings = refusal(file);
    let hints: Vec<&str> = findings[0].hints.iter().map(|hint| hint.text.as_str()).collect();
    assert_eq!(
        hints[0],
        "no environment is chosen: name one with --environment: staging, production"
    );
    let other = refusal(&file.replace("TAG}", "COMMIT}"));
    assert!(
        !other[0]
            .hints
            .iter()
            .any(|hint| hint.text.contains("environment is chosen")),
        "{other:?}"
    );
}

/// Whoever deploys one service of a file has no values for the others.
#[test]
fn p11_what_a_service_lacks_that_is_not_asked_for_is_no_error() {
    let file = "services:
  - name: web-${NUMBER}
    environment: prod
    cluster: shop
    family: web
    containers: [{ name: web, image: 'web:1', memory: 64 }]
  - name: worker
    environment: test
    cluster: shop
    count: ${COUNT}
    family: worker
    containers: [{ name: worker, image: 'worker:${TAG}', memory: 64 }]
";
    let lookup = |name: &str| (name == "NUMBER").then(|| "1".to_owned());
    let vars = BTreeMap::new();
    let read = |text: &str, services: &[&str]| {
        let services: Vec<String> = services.iter().map(|name| (*name).to_owned()).collect();
        let given = config::Given {
            lookup: &lookup,
            vars: &vars,
            environment: None,
            branch: None,
            services: &services,
        };
        let said = |finding: &Finding| finding.summary.clone();
        config::read_for(text, "deployfish.yml", &given)
            .map(|config| config.services.len())
            .map_err(|findings| findings.iter().map(said).collect::<Vec<_>>())
    };
    assert_eq!(read(file, &["prod"]), Ok(2));
    assert_eq!(read(file, &["web-1"]), Ok(2));
    let lacks = Err(vec!["2 variables have no value: COUNT, TAG".to_owned()]);
    for services in [&[][..], &["test"], &["worker"], &["web-1", "worker"]] {
        assert_eq!(read(file, services), lacks, "{services:?}");
    }
    // A mistake that no variable can cure is one, wherever it stands.
    let wrong = file.replace("${COUNT}", "-1").replace("${TAG}", "1");
    assert_eq!(
        read(&wrong, &["prod"]),
        Err(vec!["services[1].count: expected a whole number, got -1".to_owned()])
    );
}

#[test]
fn p11_a_rehearsal_of_one_service_wants_no_values_for_another() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = |name: &str, tag: &str| {
        format!(
            "  - name: {name}\n    cluster: shop\n    family: {name}\n    containers: [{{ name: {name}, image: '{name}:{tag}', memory: 64 }}]\n"
        )
    };
    let file = format!(
        "version: 1\nservices:\n{}{}",
        service("web", "1"),
        service("worker", "${TAG}")
    );
    std::fs::write(folder.path().join("portzero.yml"), file).expect("a file");
    assert_eq!(run(folder.path(), "rehearse web").code, Some(0));
    assert_eq!(run(folder.path(), "rehearse worker").code, Some(2));
}

#[test]
fn p19_a_mistake_of_several_services_is_said_once_where_it_stands() {
    let folder = tempfile::tempdir().expect("a folder");
    let said = |file: &str, flags: &str| {
        std::fs::write(folder.path().join("portzero.yml"), file).expect("a file");
        run(folder.path(), &format!("rehearse {flags}")).stderr
    };
    let file = "version: 1
defaults: { settle: 2m, timeout: 1m }
services:
  - { name: web, cluster: shop }
  - { name: worker, cluster: shop }
  - { name: db, cluster: shop, timeout: 10m }
";
    let once = said(file, "");
    assert_eq!(once.matches("error[").count(), 1, "{once}");
    for part in ["portzero.yml:2:21", "portzero.yml:2:34", "web, worker"] {
        assert!(once.contains(part), "{part}: {once}");
    }
    let by_flag = said(file, "--settle 20m");
    assert!(
        by_flag.contains("--> portzero.yml:2:34") && by_flag.contains("--> portzero.yml:6:41"),
        "{by_flag}"
    );

    let without = said("version: 1\nservices:\n  - { name: web }\n  - { name: worker }\n", "");
    assert_eq!(without.matches("no cluster is known").count(), 1, "{without}");
    assert!(
        without.contains("--> portzero.yml:3:5") && without.contains("web, worker"),
        "{without}"
    );

    std::fs::write(folder.path().join("web.json"), "{,}").expect("a file");
    let shared = "version: 1\nservices:\n  - { name: web, cluster: shop, task_definition: web.json }\n  - { name: worker, cluster: shop, task_definition: web.json }\n";
    assert_eq!(said(shared, "").matches("error[").count(), 1);
}

#[test]
fn p10_credentials_of_another_account_are_refused_before_anything_else() {
    let simulator = Simulator::at_speed("200x");
    let folder = tempfile::tempdir().expect("a folder");
    let said = |accounts: &str, arguments: &str| {
        let file = format!(
            "version: 1\naws: {{ {accounts} }}\nservices:\n  - {{ name: web, cluster: demo, task_definition: current }}\n"
        );
        std::fs::write(folder.path().join("portzero.yml"), file).expect("a file");
        let mut command = portzero(folder.path());
        command.envs(simulator.variables.clone()).args(arguments.split(' '));
        program::said(&mut command)
    };
    for (command, code) in [
        ("plan", 3),
        ("deploy", 3),
        ("rollback web", 3),
        ("status", 6),
        ("observe", 6),
    ] {
        let refused = said("allowed_account_ids: [444455556666]", command);
        assert_eq!(refused.code, Some(code), "{command}: {refused:#?}");
        for part in ["account 111122223333", "444455556666", "portzero.yml:2:"] {
            let told = format!("{}{}", refused.stderr, refused.stdout);
            assert!(told.contains(part), "{command}, {part}: {told}");
        }
    }
    let asked = control(simulator.endpoint(), "GET", "operations", "");
    let asked = asked["operations"].as_object().expect("operations").iter();
    let asked: Vec<&String> = asked
        .filter(|(_, count)| **count != json!(0))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(asked, ["sts:GetCallerIdentity"]);
    let good = said("allowed_account_ids: [111122223333]", "plan");
    assert_eq!(good.code, Some(0), "{good:#?}");
}
