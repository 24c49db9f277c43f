//! Simulated rollouts tell the stories that real services were recorded with: the same events in the same order and
//! words, at gaps within the recorded ranges. The recordings stand beside the project and are read in place.

use std::path::Path;
use std::time::Duration;

use portzero_sim::model::state::{Service, ServiceChange};
use portzero_sim::scenario::span::Spread;
use portzero_sim::scenario::{CircuitBreakerSpec, LoadBalancerSpec, Scenario, ServiceSpec, TargetGroupSpec};
use portzero_sim::{Fault, FaultSpec, RevisionRef, World};
use regex_lite::Regex;
use serde_json::{Value, json};

/// One told event: its words without names and numbers, and the seconds since the one before.
#[derive(Clone, Debug, PartialEq)]
struct Told {
    words: String,
    gap: Option<f64>,
}

fn recording(number: &str) -> Option<Vec<Vec<Told>>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/recordings");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        println!("skipped: no recordings at {}", folder.display());
        return None;
    };
    let path = entries
        .map(|entry| entry.unwrap().path())
        .find(|path| {
            path.file_name()
                .unwrap()
                .to_string_lossy()
                .starts_with(&format!("{number}-"))
        })
        .unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    let body: Vec<&str> = text.lines().skip_while(|line| line.starts_with('#')).collect();
    let stories = body.split(|line| line.trim() == "#").map(story);
    Some(stories.filter(|story| !story.is_empty()).collect())
}

fn story(lines: &[&str]) -> Vec<Told> {
    let told = lines.iter().filter_map(|line| {
        let mut columns = line.splitn(3, " | ");
        let (_, gap, words) = (columns.next()?, columns.next()?, columns.next()?);
        let is_event = words.starts_with("(service ");
        is_event.then(|| Told {
            words: normal(words),
            gap: gap.trim().parse().ok(),
        })
    });
    told.collect()
}

/// Ids, names, counts and reasons that differ from account to account are taken out; nothing else is.
fn normal(words: &str) -> String {
    let rules = [
        (r"\(service [^),]+", "(service S"),
        (r"\(task [^)]+\)", "(task T)"),
        (r"\(port \d+\)", "(port P)"),
        (r"ecs-svc/\d+", "ecs-svc/D"),
        (r"targetgroup/[^)]+", "targetgroup/G"),
        (r"elasticloadbalancing:[^:]+:\d+:", "elasticloadbalancing:R:A:"),
        // The rest of such a reason is cut off in the recordings.
        (r"Reason: ([A-Za-z]+): .*$", "Reason: $1: …"),
    ];
    rules.iter().fold(words.to_owned(), |words, (pattern, with)| {
        Regex::new(pattern).unwrap().replace_all(&words, *with).into_owned()
    })
}

/// A world with one service `web` of one Fargate task behind a target group.
struct Stage {
    world: World,
    from: portzero_sim::Timestamp,
}

fn fargate() -> Scenario {
    let mut group = TargetGroupSpec {
        name: "web".into(),
        ..TargetGroupSpec::default()
    };
    group.health_check.interval = Duration::from_secs(10);
    Scenario {
        target_groups: vec![group],
        services: vec![ServiceSpec {
            name: "web".into(),
            task_definition: definition(json!({})),
            load_balancers: vec![LoadBalancerSpec {
                target_group: Some("web".into()),
                container_name: "web".into(),
                container_port: 3000,
                ..LoadBalancerSpec::default()
            }],
            circuit_breaker: Some(CircuitBreakerSpec {
                enable: true,
                rollback: true,
            }),
            ..ServiceSpec::default()
        }],
        ..Scenario::default()
    }
}

fn definition(extra: Value) -> Value {
    let mut container = json!({"name": "web", "image": "web:1", "portMappings": [{"containerPort": 3000}],
        "secrets": [{"name": "TOKEN", "valueFrom": "arn:aws:ssm:us-east-1:111122223333:parameter/token"}]});
    for (key, value) in extra.as_object().unwrap() {
        container[key] = value.clone();
    }
    json!({"family": "web", "networkMode": "awsvpc", "cpu": "256", "memory": "512",
        "executionRoleArn": "arn:aws:iam::111122223333:role/execution",
        "requiresCompatibilities": ["FARGATE"], "containerDefinitions": [container]})
}

impl Stage {
    fn of(scenario: &Scenario) -> Self {
        let mut world = World::new(scenario).unwrap();
        world.advance(world.now() + Duration::from_secs(60));
        Self {
            from: world.now(),
            world,
        }
    }

    fn deploy(&mut self, desired_count: Option<u32>) {
        let change = ServiceChange {
            cluster: "default".into(),
            service: "web".into(),
            force_new_deployment: true,
            desired_count,
            ..ServiceChange::default()
        };
        self.world.update_service(&change).unwrap();
    }

    fn pass(&mut self, seconds: u64) {
        self.world.advance(self.world.now() + Duration::from_secs(seconds));
    }

    fn service(&self) -> &Service {
        &self.world.account().clusters["default"].services["web"]
    }

    /// The events since the scene began, oldest first.
    fn told(&self) -> Vec<Told> {
        let mut before = self.from;
        let since = self.service().events.iter().rev().filter(|e| e.created_at >= self.from);
        since
            .map(|event| {
                let gap = event.created_at.since(before).as_secs_f64();
                before = event.created_at;
                Told {
                    words: normal(&event.message),
                    gap: Some(gap),
                }
            })
            .collect()
    }
}

fn words(told: &[Told]) -> Vec<&str> {
    told.iter().map(|one| one.words.as_str()).collect()
}

/// The recorded gaps before the event at each place, over all stories of the same words.
fn ranges(stories: &[Vec<Told>], like: &[Told]) -> Vec<(f64, f64)> {
    let alike: Vec<&Vec<Told>> = stories.iter().filter(|one| words(one) == words(like)).collect();
    assert!(!alike.is_empty(), "nothing like this is recorded: {:#?}", words(like));
    let over = |place: usize| {
        let gaps = alike.iter().filter_map(|story| story[place].gap);
        gaps.fold((f64::MAX, 0.0_f64), |(low, high), gap| (low.min(gap), high.max(gap)))
    };
    (0..like.len()).map(over).collect()
}

fn assert_within(told: &[Told], ranges: &[(f64, f64)], what: &str) {
    for (one, (low, high)) in told.iter().zip(ranges) {
        let gap = one.gap.unwrap();
        assert!(
            (*low..=*high).contains(&gap),
            "{what}: {gap} s, recorded {low}..{high}, before {one:?}"
        );
    }
}

/// What each of many seeds tells of one scene.
fn each_seed(mut scenario: Scenario, play: impl Fn(&mut Stage)) -> Vec<Vec<Told>> {
    let plays = (0..25).map(|seed| {
        scenario.seed = seed;
        let mut stage = Stage::of(&scenario);
        play(&mut stage);
        stage.told()
    });
    plays.collect()
}

/// INDEX (b): the gap before the first event has no line before it in the logs; it is counted from `createdAt`.
const CREATED_TO_STARTED: (f64, f64) = (6.6, 18.8);
/// The gap before `has stopped` in all recorded rollouts of file 48 (a Network Load Balancer's, four looks) and 49 (two
/// looks), and the shortest of aws-facts 9.1, one look.
const REGISTERED_TO_STOPPED: (f64, f64) = (10.0, 41.942);

#[test]
fn a_successful_rollout_is_told_as_the_thirteen_recorded_ones() {
    let (Some(nlb), Some(portal)) = (recording("48"), recording("49")) else {
        return;
    };
    let stories = [nlb, portal].concat();
    for told in each_seed(fargate(), |stage| {
        stage.deploy(None);
        stage.pass(400);
    }) {
        let mut ranges = ranges(&stories, &told);
        ranges[0] = CREATED_TO_STARTED;
        assert_eq!(told[2].words, "(service S) has stopped 1 running tasks: (task T).");
        ranges[2] = REGISTERED_TO_STOPPED;
        // Milliseconds are drawn evenly, the recorded ones lie between 3 and 24.
        assert_within(&told, &ranges, "success");
    }
}

#[test]
fn the_same_story_is_told_on_instances() {
    let Some(stories) = recording("48") else {
        return;
    };
    let mut scenario = fargate();
    scenario.instances = vec![portzero_sim::scenario::InstanceSpec::default()];
    scenario.services[0].task_definition = json!({"family": "web", "containerDefinitions": [{"name": "web",
        "image": "web:1", "memory": 128, "portMappings": [{"containerPort": 3000, "hostPort": 0}]}]});
    for told in each_seed(scenario, |stage| {
        stage.deploy(None);
        stage.pass(400);
    }) {
        let recorded = ranges(&stories, &told);
        // aws-facts 9.1, tasks on instances: registered 9 to 10 s after the start; this model has no image to fetch.
        assert!(told[1].gap.is_some_and(|gap| (4.0..=10.0).contains(&gap)), "{told:?}");
        assert_within(&told[3..], &recorded[3..], "on instances");
    }
}

fn unreachable_registry() -> Scenario {
    let mut scenario = fargate();
    // The recorded tasks tried for 258 to 289 s to reach the registry before they gave up.
    scenario.timings.start_fargate = Spread::millis(258_000, 289_000);
    let message = "unable to pull secrets or registry auth: The task cannot pull registry auth";
    scenario.faults = vec![FaultSpec::new(Fault::Secrets {
        message: Some(message.into()),
    })];
    scenario
}

#[test]
fn a_breaker_rollback_is_told_as_the_recorded_one() {
    let Some(stories) = recording("50") else {
        return;
    };
    let recorded = &stories[0];
    for told in each_seed(unreachable_registry(), |stage| {
        stage.deploy(None);
        stage.pass(1700);
    }) {
        assert_eq!(words(&told), words(recorded));
        assert_eq!(told.len(), 12);
        // One sample each, so the recorded gap and a twentieth of it (INDEX (h) 6: `about 297 s`, `30-41 s`).
        let places: [(usize, (f64, f64)); 6] = [
            (2, (30.0, 41.5)),
            (4, (30.0, 41.5)),
            (6, (290.0, 310.0)),
            (7, (2.5, 3.1)),
            (9, (2.6, 3.0)),
            (10, (50.4, 62.8)),
        ];
        for (place, range) in places {
            assert_within(&told[place..=place], &[range], "rollback");
        }
        assert_within(&[told[8].clone(), told[11].clone()], &[(0.001, 0.001); 2], "rollback");
    }
}

#[test]
fn a_superseded_try_is_told_as_the_recorded_one() {
    let Some(stories) = recording("50") else {
        return;
    };
    // The second story: a first try, superseded while its task is pending, and a second one that fails.
    let recorded = &stories[1][..4];
    for told in each_seed(unreachable_registry(), |stage| {
        stage.deploy(None);
        stage.pass(230);
        stage.deploy(None);
        stage.pass(320);
    }) {
        assert_eq!(words(&told[..4]), words(recorded));
        let stop_to_start = told[2].gap.unwrap();
        assert!((9.4..=11.0).contains(&stop_to_start), "recorded 10.86 s: {told:#?}");
    }
}

fn sick_target(stop_first: bool) -> Vec<Vec<Told>> {
    let mut scenario = fargate();
    scenario.services[0].circuit_breaker = None;
    scenario.target_groups[0].deregistration_delay = Duration::from_secs(30);
    scenario.target_groups[0].health_check.unhealthy_threshold = 2;
    scenario.switches.unhealthy_stop_first = stop_first;
    let mut fault = FaultSpec::new(Fault::HealthTimeout);
    fault.scope.revision = RevisionRef::Current;
    fault.timetable.at = Some(Duration::from_secs(60));
    fault.timetable.lasts = Some(Duration::from_secs(50));
    scenario.faults = vec![fault];
    each_seed(scenario, |stage| stage.pass(400))
}

#[test]
fn an_unhealthy_task_is_stopped_first_as_recorded() {
    let Some(stories) = recording("52") else {
        return;
    };
    for told in sick_target(true) {
        let mut recorded = stories[1].clone();
        // The reason of the check is the account's own; a forced deployment's start overlaps there.
        for (one, other) in recorded.iter_mut().zip(&told).take(1) {
            one.words = one.words.replace("Health checks failed", "Request timed out");
            assert_eq!(one.words, other.words);
        }
        recorded.remove(6);
        assert!(
            told[5].gap.is_some_and(|gap| gap > 0.0),
            "it starts after the drain has begun: {told:#?}"
        );
        assert_eq!(words(&told[..7]), words(&recorded[..7]), "{told:#?}");
        let ranges = [(0.051, 0.150), (9.4, 10.9), (0.003, 0.024), (0.05, 0.09)];
        // `has stopped` 51 to 150 ms in two samples here, 36 ms in file 53.
        assert_within(
            &told[1..5],
            &[(0.036, 0.150), ranges[1], ranges[2], ranges[3]],
            "stop first",
        );
    }
}

#[test]
fn an_unhealthy_task_is_replaced_first_as_recorded() {
    if recording("53").is_none() {
        return;
    }
    let expected = [
        "(service S) has started 1 tasks: (task T). Amazon ECS replaced 1 tasks due to an unhealthy status.",
        "(service S) registered 1 targets in (target-group arn:aws:elasticloadbalancing:R:A:targetgroup/G)",
        "(service S) (task T) (port P) is unhealthy in (target-group arn:aws:elasticloadbalancing:R:A:targetgroup/G) \
         due to (reason Request timed out).",
        "(service S) has stopped 1 running tasks: (task T).",
        "(service S) deregistered 1 targets in (target-group arn:aws:elasticloadbalancing:R:A:targetgroup/G)",
        "(service S, taskSet ecs-svc/D) has begun draining connections on 1 tasks.",
    ];
    // File 53 is a table of its own form, cut here and there: what it tells in full words is looked up in it.
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/recordings");
    let text = std::fs::read_to_string(folder.join("53-events-unhealthy-target-replaced-first.txt")).unwrap();
    let events: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("| event ") && !line.starts_with(" -"))
        .collect();
    for (line, part) in events.iter().zip([
        "registered 1 targets",
        "is unhealthy in",
        "stopped",
        "deregistered",
        "draining",
    ]) {
        assert!(line.contains(part), "{line}");
    }
    for told in sick_target(false) {
        assert_eq!(words(&told[..6]), expected, "{told:#?}");
        // started (seen by a poll) 175.9 -> registered 195.3; stopped -> deregistered 10.3, draining 6 ms later.
        assert_within(
            &told[3..6],
            &[(0.036, 0.150), (9.4, 10.9), (0.003, 0.09)],
            "replace first",
        );
    }
}

#[test]
fn a_rollback_for_container_health_is_told_as_the_recorded_one() {
    let Some(stories) = recording("51") else {
        return;
    };
    let mut scenario = fargate();
    // No load balancer; nothing runs of the old revision when the new one comes.
    scenario.services[0].load_balancers.clear();
    scenario.services[0].desired_count = 0;
    scenario.services[0].task_definition = definition(
        json!({"healthCheck": {"command": ["CMD", "true"], "interval": 90, "retries": 1, "startPeriod": 10}}),
    );
    scenario.faults = vec![FaultSpec::new(Fault::ContainerUnhealthy { log: None })];
    let recorded = &stories[0];
    for told in each_seed(scenario, |stage| {
        stage.deploy(Some(1));
        stage.pass(2400);
    }) {
        // The log begins with a failing task; how many there were before it is not in it.
        let from = told
            .iter()
            .position(|one| one.words.contains("deployment failed"))
            .unwrap()
            - 3;
        assert_eq!(told[0].words, recorded[0].words);
        assert_eq!(words(&told[from..]), words(&recorded[1..]), "{told:#?}");
        let ranges = [
            (0.036, 0.040),
            (0.001, 0.010),
            (60.0, 67.0),
            (0.001, 0.001),
            (6.6, 22.0),
        ];
        assert_within(&told[from + 1..from + 6], &ranges, "container health");
    }
}
