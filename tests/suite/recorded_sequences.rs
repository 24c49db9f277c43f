//! Simulated rollouts tell the stories of real services: the same events in the same order and words, at gaps within the
//! ranges of the log. The project has logs of its own; recorded ones are read as well where they are at hand.

use std::time::Duration;

use portzero_sim::model::state::{Service, ServiceChange};
use portzero_sim::scenario::span::Spread;
use portzero_sim::scenario::{LoadBalancerSpec, Scenario, ServiceSpec, TargetGroupSpec};
use portzero_sim::{CircuitBreaker, Fault, FaultSpec, RevisionRef, World};
use regex_lite::Regex;
use serde_json::{Value, json};

use crate::support::evidence;

/// One told event: its words without names and numbers, and the seconds since the one before.
#[derive(Clone, Debug, PartialEq)]
struct Told {
    words: String,
    gap: Option<f64>,
}

/// The stories of the log with that number: of the project's own, and of the recorded one where that is at hand.
fn logs(number: &str) -> Vec<Vec<Vec<Told>>> {
    let texts = evidence::answers().into_iter().map(|source| source.numbered(number).1);
    texts.map(|text| stories(&text)).collect()
}

fn stories(text: &str) -> Vec<Vec<Told>> {
    let body: Vec<&str> = text.lines().skip_while(|line| line.starts_with('#')).collect();
    let stories = body.split(|line| line.trim() == "#").map(story);
    stories.filter(|story| !story.is_empty()).collect()
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
            circuit_breaker: Some(CircuitBreaker {
                enable: true,
                rollback: true,
                ..CircuitBreaker::default()
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

/// Each log with each play.
fn pairs<'a, L, P>(logs: &'a [L], plays: &'a [P]) -> impl Iterator<Item = (&'a L, &'a P)> {
    logs.iter()
        .flat_map(move |log| plays.iter().map(move |play| (log, play)))
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
    let plays = each_seed(fargate(), |stage| {
        stage.deploy(None);
        stage.pass(400);
    });
    let both = logs("48").into_iter().zip(logs("49"));
    let logs: Vec<_> = both.map(|(one, other)| [one, other].concat()).collect();
    for (stories, told) in pairs(&logs, &plays) {
        let mut ranges = ranges(stories, told);
        ranges[0] = CREATED_TO_STARTED;
        assert_eq!(told[2].words, "(service S) has stopped 1 running tasks: (task T).");
        ranges[2] = REGISTERED_TO_STOPPED;
        // Milliseconds are drawn evenly, the recorded ones lie between 3 and 24.
        assert_within(told, &ranges, "success");
    }
}

#[test]
fn the_same_story_is_told_on_instances() {
    let mut scenario = fargate();
    scenario.instances = vec![portzero_sim::scenario::InstanceSpec::default()];
    scenario.services[0].task_definition = json!({"family": "web", "containerDefinitions": [{"name": "web",
        "image": "web:1", "memory": 128, "portMappings": [{"containerPort": 3000, "hostPort": 0}]}]});
    let plays = each_seed(scenario, |stage| {
        stage.deploy(None);
        stage.pass(400);
    });
    for (stories, told) in pairs(&logs("48"), &plays) {
        let recorded = ranges(stories, told);
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
    let plays = each_seed(unreachable_registry(), |stage| {
        stage.deploy(None);
        stage.pass(1700);
    });
    for (stories, told) in pairs(&logs("50"), &plays) {
        assert_eq!(words(told), words(&stories[0]));
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
    let plays = each_seed(unreachable_registry(), |stage| {
        stage.deploy(None);
        stage.pass(230);
        stage.deploy(None);
        stage.pass(320);
    });
    for (stories, told) in pairs(&logs("50"), &plays) {
        // The second story: a first try, superseded while its task is pending, and a second one that fails.
        assert_eq!(words(&told[..4]), words(&stories[1][..4]));
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
    for (stories, told) in pairs(&logs("52"), &sick_target(true)) {
        let mut recorded = stories[1].clone();
        // The reason of the check is the account's own; a forced deployment's start overlaps there.
        for (one, other) in recorded.iter_mut().zip(told).take(1) {
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
    for source in evidence::answers() {
        let (_, text) = source.numbered("53");
        let after_the_fault = text
            .lines()
            .filter(|line| line.contains("| event ") && !line.starts_with(" -"));
        let parts = [
            "registered 1 targets",
            "is unhealthy in",
            "stopped",
            "deregistered",
            "draining",
        ];
        for (line, part) in after_the_fault.zip(parts) {
            assert!(line.contains(part), "{line}");
        }
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
    let mut scenario = fargate();
    // No load balancer; nothing runs of the old revision when the new one comes.
    scenario.services[0].load_balancers.clear();
    scenario.services[0].desired_count = 0;
    scenario.services[0].task_definition = definition(
        json!({"healthCheck": {"command": ["CMD", "true"], "interval": 90, "retries": 1, "startPeriod": 10}}),
    );
    scenario.faults = vec![FaultSpec::new(Fault::ContainerUnhealthy { log: None })];
    let plays = each_seed(scenario, |stage| {
        stage.deploy(Some(1));
        stage.pass(2400);
    });
    for (stories, told) in pairs(&logs("51"), &plays) {
        let recorded = &stories[0];
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
