//! T6: two runs of one service on one world, in the same virtual time. Each is to be told the truth about its own
//! deployment, and the second is not to begin while the first one's rollout goes on or drains.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use portzero::app::deploy;
use portzero::app::deploy::{Run, ServiceRun};
use portzero::app::ports::Ports;
use portzero::report;
use portzero_core::base::finding::Severity;
use portzero_core::base::time::{Moment, Timestamp};
use portzero_core::event::{EventKind, RunEvent};
use portzero_core::plan::{DefinitionSource, DeployRequest};
use portzero_core::policy::{IfBusy, Policy};
use portzero_core::port::{Clock, NeverInterrupted, Report};
use portzero_core::rollout::{Generation, RolloutEvent, Until, Verdict};
use portzero_core::task_definition::Document;
use portzero_sim::{GroundTruth, World};
use portzero_testkit::{InProcessAws, time};

use super::generate::{Case, case};
use super::play::{has_time, request};
use super::replaced::{Stretch, is_knowable, may_succeed};

/// What the world and both runs share.
pub struct Stage {
    aws: InProcessAws,
    /// When each run is to be woken.
    wakes: [Cell<Option<Timestamp>>; 2],
    pub notes: [Note; 2],
}

/// What became of both runs; `None`: one was refused.
pub type Ends = [Option<ServiceRun>; 2];

/// What is known of one run.
#[derive(Default)]
pub struct Note {
    deployment: RefCell<Option<String>>,
    done_at: Cell<Option<Timestamp>>,
    stretch: Stretch,
    truth: RefCell<GroundTruth>,
    /// How the other run's deployment stood when this one updated the service.
    pub other_at_update: RefCell<Option<GroundTruth>>,
    story: RefCell<String>,
    mistold: RefCell<Option<String>>,
}

impl Stage {
    fn now(&self) -> Timestamp {
        time(self.aws.world().borrow().now())
    }

    fn judge(&self) {
        let world = self.aws.world();
        let world = world.borrow();
        for note in &self.notes {
            let deployment = note.deployment.borrow();
            let truth = deployment.as_ref().map(|id| world.ground_truth("c", "web", id));
            let (truth, now) = (truth.unwrap_or_default(), time(world.now()));
            if truth.is_done() {
                note.done_at.set(Some(now));
            }
            note.stretch.judge(&truth, now);
            *note.truth.borrow_mut() = truth;
        }
    }

    /// Between two happenings nothing changes, so that what is true lasts to the next.
    fn lasts(&self, now: Timestamp) {
        for note in &self.notes {
            if note.truth.borrow().is_done() {
                note.done_at.set(Some(now));
            }
            note.stretch.lasts(now);
        }
    }

    fn advance(&self, until: Timestamp) {
        let world = self.aws.world();
        loop {
            let next = world.borrow().next_event_at().filter(|at| time(*at) <= until);
            let Some(next) = next else { break };
            self.lasts(time(next));
            world.borrow_mut().advance(next);
            self.judge();
        }
        world.borrow_mut().advance(portzero_testkit::moment(until));
        self.lasts(until);
    }
}

/// The clock of one of the runs: whoever sleeps gives way to the other.
#[derive(Clone)]
struct Turn {
    stage: Rc<Stage>,
    run: usize,
}

impl Clock for Turn {
    fn now(&self) -> Moment {
        self.stage.aws.clock().now()
    }

    async fn sleep(&self, span: Duration) {
        let until = self.stage.now() + span;
        self.stage.wakes[self.run].set(Some(until));
        std::future::poll_fn(|_| {
            if self.stage.now() >= until {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
        self.stage.wakes[self.run].set(None);
    }
}

/// What one of the runs says.
struct Voice {
    stage: Rc<Stage>,
    run: usize,
}

impl Report for Voice {
    fn event(&mut self, event: &RunEvent) {
        let note = &self.stage.notes[self.run];
        if let EventKind::Updated { deployment, .. } = &event.kind {
            let other = &self.stage.notes[1 - self.run];
            // No time has passed since the last judgement.
            *note.other_at_update.borrow_mut() = other
                .deployment
                .borrow()
                .is_some()
                .then(|| other.truth.borrow().clone());
            *note.deployment.borrow_mut() = Some(deployment.to_string());
        }
        if let EventKind::Rollout(RolloutEvent::Task {
            task,
            task_definition,
            generation: Generation::Old,
            ..
        }) = &event.kind
        {
            self.check_revision(task.short(), task_definition.as_str());
        }
        for line in report::line::render(event) {
            let line = format!("{} {:>6.1} {line}\n", event.at, event.elapsed.as_secs_f64());
            note.story.borrow_mut().push_str(&line);
        }
    }
}

impl Voice {
    fn check_revision(&self, id: &str, told: &str) {
        let world = self.stage.aws.world();
        let world = world.borrow();
        let task = world.account().clusters["c"].tasks.get(id);
        if let Some(task) = task.filter(|task| task.task_definition != told) {
            let words = format!("task {id} runs {} and was told to run {told}", task.task_definition);
            self.stage.notes[self.run].mistold.borrow_mut().get_or_insert(words);
        }
    }
}

/// One of the runs, from its plan to its end.
async fn deploy_after(stage: Rc<Stage>, run: usize, wait: Duration, request: DeployRequest) -> Option<ServiceRun> {
    let clock = Turn {
        stage: Rc::clone(&stage),
        run,
    };
    clock.sleep(wait).await;
    let (plan, survey) = deploy::plan(&stage.aws, &clock, request).await.ok()?;
    if plan.is_refused() {
        return None;
    }
    let mut voice = Voice {
        stage: Rc::clone(&stage),
        run,
    };
    let ports = Ports {
        aws: &stage.aws,
        clock: &clock,
        interrupts: &NeverInterrupted,
    };
    let mut runs = Run::new(ports, &mut voice, deploy::Pace::even())
        .execute(vec![(plan, survey)])
        .await;
    Some(runs.remove(0))
}

/// Both runs to their ends. Gives what became of them, with what is known of the world.
pub fn play_both(case: &Case, requests: [DeployRequest; 2], waits: [Duration; 2]) -> (Rc<Stage>, Ends) {
    let stage = Rc::new(Stage {
        aws: InProcessAws::new(World::new(&case.scenario).expect("a world")),
        wakes: Default::default(),
        notes: Default::default(),
    });
    let [first, second] = requests;
    let begin = |run, request| Box::pin(deploy_after(Rc::clone(&stage), run, waits[run], request));
    let mut futures: [Pin<Box<dyn Future<Output = Option<ServiceRun>>>>; 2] = [begin(0, first), begin(1, second)];
    let mut ended: [Option<Option<ServiceRun>>; 2] = [None, None];
    let end = stage.now() + Duration::from_secs(12 * 3600);
    while ended.iter().any(Option::is_none) {
        for (future, ended) in futures.iter_mut().zip(&mut ended).filter(|(_, ended)| ended.is_none()) {
            stage.judge();
            if let Poll::Ready(run) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                *ended = Some(run);
            }
        }
        stage.judge();
        let open = ended.iter().zip(&stage.wakes).filter(|(ended, _)| ended.is_none());
        let next = open.filter_map(|(_, wake)| wake.get()).min();
        if let Some(next) = next {
            assert!(next < end, "a run that does not end");
            stage.advance(next);
        }
    }
    (Rc::clone(&stage), ended.map(Option::flatten))
}

/// A rollout of that image.
pub fn wanted(case: &Case, image: &str, if_busy: IfBusy) -> DeployRequest {
    let mut definition = case.scenario.services[0].task_definition.clone();
    definition["containerDefinitions"][0]["image"] = image.into();
    DeployRequest {
        base: DefinitionSource::Document(Box::new(Document::from_value(definition, "web"))),
        until: Until::Drained,
        fail_on: Severity::Error,
        allowed: Vec::new(),
        policy: Policy {
            if_busy,
            ..Policy::default()
        },
        ..request(case)
    }
}

/// The first promise that is broken to one of the runs.
fn broken_to(case: &Case, stage: &Stage, run: usize, done: &ServiceRun) -> Option<String> {
    let note = &stage.notes[run];
    if let Some(mistold) = note.mistold.borrow().clone() {
        return Some(mistold);
    }
    let other = note.other_at_update.borrow();
    let drained_beside = other
        .as_ref()
        .is_some_and(|other| other.is_complete() && !other.is_done());
    if drained_beside && done.request.policy.if_busy == IfBusy::Wait {
        return Some("drain disturbed: it began while the other one drained".into());
    }
    let verdict = done.verdict();
    let replaced = note.stretch.replaced.get();
    let was_done = note.done_at.get().is_some();
    if verdict == Verdict::Succeeded && !was_done && !may_succeed(case, Until::Drained, replaced) {
        return Some(format!(
            "lie: succeeded, and its deployment was never done: {:?}",
            note.truth.borrow()
        ));
    }
    let is_good = replaced
        .is_some_and(|r| r.age == Some(Duration::ZERO) && r.complete_for > case.settle + Duration::from_secs(45));
    let was_done = was_done && case.scenario.faults.is_empty();
    if verdict == Verdict::Superseded && is_knowable(case) && (was_done || is_good) {
        return Some(format!(
            "false alarm: superseded, and its deployment was good: {replaced:?}"
        ));
    }
    None
}

/// The first promise that is broken to either, with both logs.
pub fn broken(case: &Case, stage: &Stage, runs: &Ends) -> Option<String> {
    let both = runs.iter().enumerate();
    let mut broken = both.filter_map(|(run, done)| Some((run, broken_to(case, stage, run, done.as_ref()?)?)));
    broken.next().map(|(run, words)| {
        let [first, second] = &stage.notes;
        format!(
            "run {run}: {words}\n{}\n{}",
            first.story.borrow(),
            second.story.borrow()
        )
    })
}

/// A world in which nothing goes wrong, with a long drain.
#[allow(dead_code, reason = "the example plays any world")]
pub fn good(seed: u64) -> Case {
    let mut good = (seed * 1000..)
        .map(case)
        .find(|case| case.must_succeed && case.scenario.services[0].desired_count > 0 && has_time(case))
        .expect("a world without faults");
    good.settle = Duration::from_secs(10);
    good.timeout = Duration::from_secs(7200);
    (good.lag, good.poll_interval) = (Duration::ZERO, None);
    for group in &mut good.scenario.target_groups {
        group.deregistration_delay = Duration::from_secs(300);
    }
    good
}

/// Two runs in a world full of faults: what became of both, and the first promise that is broken.
pub fn play_any(seed: u64) -> (Ends, Option<String>) {
    let mut case = Case {
        misbehaviour: Default::default(),
        outage: None,
        lag: Duration::ZERO,
        poll_interval: None,
        settle: Duration::from_secs(10),
        ..case(seed)
    };
    // ECS calls such a deployment successful before it is complete: when it was good is another question than this one.
    case.scenario.services[0].strategy.early_success = None;
    let mut rng = fastrand::Rng::with_seed(seed ^ 0x2_0002);
    let policy = if rng.bool() { IfBusy::Wait } else { IfBusy::Replace };
    let requests = [
        wanted(&case, "example/web:2", IfBusy::Wait),
        wanted(&case, "example/web:3", policy),
    ];
    let wait = Duration::from_secs(rng.u64(0..500));
    let (stage, runs) = play_both(&case, requests, [Duration::ZERO, wait]);
    let broken = broken(&case, &stage, &runs);
    (runs, broken)
}
