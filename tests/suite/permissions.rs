//! docs/permissions.md says which of AWS's actions each command needs: held against the calls of the adapters, what
//! rehearsals have asked for, and what each command does where an action is denied.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::http::control;
use crate::support::program::{Said, Simulator, portzero, said};

/// What AWS asks for in RegisterTaskDefinition, and nobody calls.
const IMPLIED: [&str; 2] = ["iam:PassRole", "ecs:TagResource"];
/// Allowed by the trust policy of the role that is assumed.
const BY_TRUST: &str = "sts:AssumeRoleWithWebIdentity";
/// AWS answers it to everybody, whatever the policies say.
const WITHOUT: &str = "sts:GetCallerIdentity";
const COMMANDS: [&str; 5] = ["plan", "deploy", "observe", "status", "rollback"];

fn read(path: impl AsRef<Path>) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Action -> command -> `required`, `optional`, `by case`; a command that never asks for it is left out.
fn table() -> BTreeMap<String, BTreeMap<&'static str, String>> {
    let page = read("docs/permissions.md");
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let needs = COMMANDS.into_iter().zip(&cells[2..]);
        let needs = needs.filter(|(_, need)| !need.is_empty());
        let needs: BTreeMap<_, _> = needs.map(|(command, need)| (command, (*need).to_owned())).collect();
        assert!(
            needs
                .values()
                .all(|need| ["required", "optional", "by case"].contains(&need.as_str())),
            "{row}"
        );
        assert!(!needs.is_empty(), "{row}");
        (cells[1].trim_matches('`').to_owned(), needs)
    })
    .collect()
}

fn actions_of(command: &str) -> BTreeSet<String> {
    let used = table().into_iter().filter(|(_, needs)| needs.contains_key(command));
    used.map(|(action, _)| action).collect()
}

fn actions_where(command: &str, is_meant: impl Fn(Option<&str>) -> bool) -> Vec<String> {
    let table = table().into_iter();
    let meant = table.filter(|(_, needs)| is_meant(needs.get(command).map(String::as_str)));
    meant.map(|(action, _)| action).collect()
}

/// Requests are counted by the name of the operation alone.
fn operation(action: &str) -> String {
    action.split(':').nth(1).unwrap_or(action).to_owned()
}

/// What a run has asked for is what the table gives its command.
#[track_caller]
pub fn assert_in_the_table(command: &str, result: &Value) {
    let allowed: BTreeSet<String> = actions_of(command).iter().map(|action| operation(action)).collect();
    for asked in result["requests"]["by_action"].as_object().expect("actions").keys() {
        assert!(allowed.contains(asked), "the table has no {asked} for `{command}`");
    }
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Every action that an adapter makes a `Call` of.
fn calls() -> BTreeSet<String> {
    let mut files = Vec::new();
    rust_files(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src/adapters/aws"),
        &mut files,
    );
    let mut actions = BTreeSet::new();
    for file in files {
        let text = read(&file);
        let code = text.split("\n#[cfg(test)]\n").next().unwrap_or_default();
        for maker in ["Call::read(", "Call::write("] {
            for (at, _) in code.match_indices(maker) {
                let argument = code[at + maker.len()..].trim_start();
                let action = argument.strip_prefix('"').and_then(|rest| rest.split('"').next());
                let action = action.unwrap_or_else(|| panic!("{}: an action as a literal", file.display()));
                actions.insert(action.to_owned());
            }
        }
    }
    actions
}

#[test]
fn the_table_has_every_action_that_the_program_can_call_and_no_other() {
    let mut called = calls();
    assert!(called.len() > 20, "{called:?}");
    assert!(called.remove(BY_TRUST) && called.remove(WITHOUT), "{called:?}");
    called.extend(IMPLIED.map(str::to_owned));
    assert_eq!(table().into_keys().collect::<BTreeSet<_>>(), called);
    let page = read("docs/permissions.md");
    assert!(page.contains(BY_TRUST) && page.contains(WITHOUT));
}

/// The operations that the report in a snapshot has counted.
fn asked_in(told: &str) -> BTreeSet<String> {
    let counts = told.split("\"by_action\": {").skip(1);
    let names = counts.flat_map(|counts| {
        let counts = counts.split('}').next().unwrap_or_default().lines();
        counts.filter_map(|line| line.trim().strip_prefix('"')?.split('"').next())
    });
    names.map(str::to_owned).collect()
}

/// Each of the scenarios' reports counts the requests of a deployment.
#[test]
fn the_scenarios_ask_for_what_the_table_gives_a_deployment() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/snapshots");
    let mut asked = BTreeSet::new();
    for entry in std::fs::read_dir(folder).expect("snapshots") {
        asked.extend(asked_in(&read(entry.expect("an entry").path())));
    }
    // What only a slip or a flag asks for, and what is no request.
    let elsewhere = [
        "ecs:ListClusters",
        "ecs:ListServices",
        "ecs:ListTaskDefinitions",
        "ecs:DeregisterTaskDefinition",
    ];
    let listed = actions_of("deploy").into_iter();
    let listed = listed.filter(|action| !elsewhere.contains(&action.as_str()) && !IMPLIED.contains(&action.as_str()));
    assert_eq!(asked, listed.map(|action| operation(&action)).collect());
}

/// A rehearsal where that action is denied.
fn rehearse(arguments: &str, denied: &str) -> Said {
    let line = format!(
        "rehearse --quiet --scenario tests/scenarios/01-rolling-update.yml --cluster shop --service web \
         --image web=example/web:2 --fault denied,action={denied} {arguments}"
    );
    said(portzero(Path::new(env!("CARGO_MANIFEST_DIR"))).args(line.split_whitespace()))
}

/// Each action that such a deployment asks for is denied in turn; one that it does not ask for would prove nothing.
fn assert_needs(command: &str, arguments: &str) {
    let asked = asked_in(&read("tests/scenarios/snapshots/01-rolling-update.snap"));
    let struck: Vec<_> = table()
        .into_iter()
        .filter(|(action, _)| asked.contains(&operation(action)))
        .collect();
    assert!(struck.len() > 10, "{struck:?}");
    for (action, needs) in struck {
        let need = needs.get(command).map_or("never asked for", String::as_str);
        let told = rehearse(arguments, &action);
        let is_good = told.code == Some(0);
        assert_eq!(
            is_good,
            need != "required",
            "`{command}` without {action}, which is {need}: {told:#?}"
        );
    }
}

#[test]
fn a_deployment_ends_without_what_it_requires_and_does_without_the_rest() {
    assert_needs("deploy", "");
}

#[test]
fn a_plan_ends_without_what_it_requires_and_does_without_the_rest() {
    assert_needs("plan", "--dry-run");
}

#[test]
fn a_deployment_that_gives_a_role_to_its_tasks_needs_pass_role() {
    let told = read("tests/scenarios/snapshots/35-pass-role-denied.snap");
    assert!(told.contains("may not do iam:PassRole"), "{told}");
}

/// The demo after a deployment of portzero's, and how its commands go where actions are denied.
struct Stage {
    simulator: Simulator,
    folder: tempfile::TempDir,
}

impl Stage {
    fn demo() -> Self {
        Self {
            simulator: Simulator::at_speed("200x"),
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    fn deployed() -> Self {
        let stage = Self::demo();
        let deployed = stage.run("deploy --service web --image example/web:2 --settle 0s --poll-interval 1s");
        assert_eq!(deployed.code, Some(0), "{deployed:#?}");
        stage
    }

    fn run(&self, arguments: &str) -> Said {
        let mut command = portzero(self.folder.path());
        command.envs(self.simulator.variables.clone());
        command.args(arguments.split(' '));
        if !arguments.contains("--cluster") {
            command.args(["--cluster", "demo"]);
        }
        said(&mut command)
    }

    /// Gives the number of the fault.
    fn deny(&self, action: &str) -> u64 {
        let fault = json!({"fault": "denied", "action": action}).to_string();
        let on = control(self.simulator.endpoint(), "POST", "faults", &fault);
        on["number"].as_u64().expect("a number")
    }

    fn allow(&self, fault: u64) {
        control(self.simulator.endpoint(), "DELETE", &format!("faults/{fault}"), "");
    }

    /// What was asked for since the simulator began, by the operation.
    fn asked(&self) -> BTreeMap<String, u64> {
        let operations = control(self.simulator.endpoint(), "GET", "operations", "");
        let counts = operations["operations"].as_object().expect("operations").iter();
        counts
            .map(|(action, count)| (action.clone(), count.as_u64().expect("a count")))
            .collect()
    }

    /// `arguments` fail without each action that the command requires, and go well without all others; and nothing is
    /// asked for that the table does not give the command.
    fn assert_needs(&self, command: &str, arguments: &str) {
        for action in actions_where(command, |need| need == Some("required")) {
            let fault = self.deny(&action);
            let told = self.run(arguments);
            assert_ne!(told.code, Some(0), "`{command}` does without {action}: {told:#?}");
            self.allow(fault);
        }
        let others = actions_where(command, |need| need != Some("required"));
        let others = others.iter().filter(|action| **action != IMPLIED[1]);
        let faults: Vec<u64> = others.map(|action| self.deny(action)).collect();
        let before = self.asked();
        let told = self.run(arguments);
        assert_eq!(told.code, Some(0), "`{command}` without what is optional: {told:#?}");
        let allowed = actions_of(command);
        for (action, count) in self.asked() {
            let is_asked = count > before.get(&action).copied().unwrap_or(0);
            assert!(
                !is_asked || allowed.contains(&action),
                "the table has no {action} for `{command}`"
            );
        }
        faults.into_iter().for_each(|fault| self.allow(fault));
    }
}

#[test]
fn status_observe_and_rollback_end_without_what_they_require_and_do_without_the_rest() {
    let stage = Stage::deployed();
    stage.assert_needs("status", "status --service web");
    stage.assert_needs("observe", "observe --service web --settle 0s");
    // It takes the time to settle from a file alone.
    let file = "version: 1\ndefaults: { settle: 0s, poll_interval: 1s }\nservices:\n  - { name: web, task_definition: current }\n";
    std::fs::write(stage.folder.path().join("quick.yml"), file).expect("written");
    stage.assert_needs("rollback", "rollback web --config quick.yml --to web:1");
}

#[test]
fn a_name_that_is_not_there_asks_for_the_nearest_one() {
    let stage = Stage::demo();
    for (slip, action, hint) in [
        ("status --service wev", "ecs:ListServices", "did you mean `web`?"),
        (
            "status --service web --cluster dema",
            "ecs:ListClusters",
            "did you mean `demo`?",
        ),
    ] {
        let told = stage.run(slip);
        assert_eq!((told.code, told.stderr.contains(hint)), (Some(3), true), "{told:#?}");
        assert_eq!(stage.asked()[action], 1);
        stage.deny(action);
        let poorer = stage.run(slip);
        assert_eq!(
            (poorer.code, poorer.stderr.contains(hint)),
            (Some(3), false),
            "{poorer:#?}"
        );
        assert!(actions_of("status").contains(action));
    }
}

/// What a policy allows, and each of its statements.
fn policy(name: &str) -> (BTreeSet<String>, Vec<Value>) {
    let document: Value = serde_json::from_str(&read(format!("examples/iam/{name}.json"))).expect("JSON");
    assert_eq!(document["Version"], "2012-10-17");
    let statements = document["Statement"].as_array().expect("statements").clone();
    let mut allowed = BTreeSet::new();
    for statement in &statements {
        assert_eq!(statement["Effect"], "Allow");
        for action in statement["Action"].as_array().expect("actions") {
            assert!(
                allowed.insert(action.as_str().expect("a name").to_owned()),
                "{action} twice"
            );
        }
    }
    (allowed, statements)
}

#[test]
fn the_policies_allow_what_the_table_has_and_nothing_else() {
    let (deploy, statements) = policy("deploy");
    assert_eq!(deploy, table().into_keys().collect());
    let reading = ["plan", "observe", "status"].into_iter().flat_map(actions_of);
    assert_eq!(policy("read").0, reading.collect());

    // What changes something is allowed for a named resource, where AWS knows one.
    let changes = [
        "ecs:UpdateService",
        "ecs:RegisterTaskDefinition",
        "ecs:TagResource",
        "ecs:StopServiceDeployment",
        "iam:PassRole",
    ];
    for change in changes {
        let has = |s: &&Value| {
            s["Action"]
                .as_array()
                .is_some_and(|all| all.iter().any(|action| action == change))
        };
        let statement = statements.iter().find(has).expect("a statement");
        assert_ne!(statement["Resource"], "*", "{change}");
    }
    let passes = statements
        .iter()
        .find(|s| s["Action"] == json!(["iam:PassRole"]))
        .expect("a statement");
    assert_eq!(
        passes["Condition"],
        json!({"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}})
    );
}
