//! Plays a case through the real plan, driver and observer, with the simulated world as the judge.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use portzero::app::deploy;
use portzero::app::deploy::Run;
use portzero::app::ports::Ports;
use portzero::report;
use portzero_core::base::finding::{Code, Severity};
use portzero_core::base::time::{Moment, Timestamp};
use portzero_core::event::{EventKind, RunEvent};
use portzero_core::plan::{DefinitionSource, DeployRequest};
use portzero_core::policy::Policy;
use portzero_core::port::{Clock, NeverInterrupted, Report};
use portzero_core::rollout::{Until, Verdict};
use portzero_core::task_definition::{Document, DynamicPorts};
use portzero_sim::{Fault, FaultSpec, GroundTruth, World};
use portzero_testkit::{InProcessAws, Misbehaviour, time};

use super::generate::{Case, SIDECAR};
use super::ledger::Ledger;
use super::replaced::{Replaced, Stretch, false_alarm, may_succeed};

/// What a played case leaves.
#[derive(Debug)]
pub struct Played {
    pub verdict: Verdict,
    /// The whole story, as a user would read it.
    pub story: String,
    /// Virtual time from the update to the verdict.
    pub lasted: Duration,
    /// How long ago the world was last truly done when the verdict came; `None`: never.
    pub truth_age: Option<Duration>,
    /// How far the run followed its rollout.
    pub until: Until,
    /// How it stood when another deployment took over; `None`: none has.
    pub replaced: Option<Replaced>,
    /// Where the run says that it has taken the service back to.
    #[allow(dead_code, reason = "the example plays no ways back")]
    pub back_to: Option<String>,
    /// What the service is at in truth when the verdict comes: revision and state of its PRIMARY deployment.
    #[allow(dead_code, reason = "the example plays no ways back")]
    pub primary: Option<(String, String)>,
    /// The first thing that was told wrongly.
    pub mistold: Option<String>,
}

/// Stale answers are drawn from the past at this grain.
pub const GRAIN: Duration = Duration::from_secs(1);

pub fn play(case: &Case) -> Played {
    play_until(case, request(case), goal(case.until))
}

/// What has to be true where it is called succeeded.
fn goal(until: Until) -> fn(&GroundTruth) -> bool {
    match until {
        Until::Registered => {
            |t| t.is_primary && t.desired > 0 && t.new_running >= t.desired && t.new_targets_registered
        }
        Until::Healthy => |t| {
            let is_there = t.new_running >= t.desired && t.new_targets_healthy && t.routed;
            t.is_primary && t.is_completed && t.desired > 0 && is_there
        },
        _ => GroundTruth::is_done,
    }
}

#[allow(dead_code, reason = "the example plays no ways back")]
pub fn play_with(case: &Case, policy: Policy) -> Played {
    // The way there is followed to its end, and the way back with it.
    let until = Until::Drained;
    let request = DeployRequest {
        policy,
        until,
        ..request(case)
    };
    play_until(case, request, goal(until))
}

/// With a wish of one's own, and what has to be true where it is called succeeded.
pub fn play_until(case: &Case, request: DeployRequest, is_done: fn(&GroundTruth) -> bool) -> Played {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(play_in(case, request, is_done))
}

async fn play_in(case: &Case, request: DeployRequest, is_done: fn(&GroundTruth) -> bool) -> Played {
    let world = World::new(&case.scenario).unwrap();
    let denied = Misbehaviour {
        denied: case.misbehaviour.denied,
        ..Misbehaviour::default()
    };
    let aws = InProcessAws::new(world).misbehaving(denied, case.scenario.seed);
    aws.take_answers();
    let shared = Rc::new(Shared::default());
    shared.is_blind_to_rules.set(is_blind_to_rules(case));
    let started_at = time(aws.world().borrow().now());
    let until = request.until;
    // Who only wants targets to be registered does not ask whether they stay.
    let quiet_for = (until > Until::Registered).then_some(request.settle);
    let clock = Judge {
        aws: aws.clone(),
        started_at,
        shared: Rc::clone(&shared),
        is_done,
        quiet_for,
    };
    let (plan, survey) = match deploy::plan(&aws, &clock, request).await {
        Ok(planned) => planned,
        Err((_, findings)) => return refused(&findings),
    };
    if plan.is_refused() {
        return refused(&plan.findings);
    }
    let mut story = Story {
        aws: aws.clone(),
        shared: Rc::clone(&shared),
        case,
        text: String::new(),
    };
    let ports = Ports {
        aws: &aws,
        clock: &clock,
        interrupts: &NeverInterrupted,
    };
    let mut run = Run::new(ports, &mut story, deploy::Pace::even());
    let done = run.execute(vec![(plan, survey)]).await.remove(0);
    clock.judge();
    clock.settle_look();
    let now = clock.world_now();
    let states = done.findings().iter().filter_map(|finding| finding.state.as_deref());
    let is_back = states
        .into_iter()
        .next_back()
        .is_some_and(|state| state.contains("serves all traffic"));
    let closing = report::log::closing(&done);
    let is_unchecked = done.findings().iter().any(|found| found.code == Code::NotChecked);
    Played {
        mistold: mistold(&shared, case, until, done.verdict())
            .or_else(|| unsaid(case, until, done.verdict(), is_unchecked)),
        verdict: done.verdict(),
        story: story.text + &closing,
        lasted: now.since(started_at),
        truth_age: shared.done_at.borrow().map(|at| now.since(at)),
        until,
        replaced: shared.stretch.replaced.get(),
        back_to: done.back_to.filter(|_| is_back).map(|arn| arn.to_string()),
        primary: primary(&aws),
    }
}

fn primary(aws: &InProcessAws) -> Option<(String, String)> {
    let world = aws.world();
    let world = world.borrow();
    let service = world.account().clusters.get("c")?.services.get("web")?;
    let primary = service.deployments.iter().find(|d| d.status.as_str() == "PRIMARY")?;
    Some((primary.task_definition.clone(), primary.rollout_state.to_string()))
}

/// The rules of the load balancers may not be read.
pub fn is_blind_to_rules(case: &Case) -> bool {
    case.misbehaviour.denied.contains(&"elasticloadbalancing:DescribeRules")
}

/// Where nobody has looked at the rules, a success says so.
fn unsaid(case: &Case, until: Until, verdict: Verdict, is_unchecked: bool) -> Option<String> {
    let is_asked = verdict == Verdict::Succeeded && matches!(until, Until::Healthy | Until::Drained);
    let is_unsaid = is_asked && is_blind_to_rules(case) && !is_unchecked;
    is_unsaid.then(|| "lie: succeeded, and does not say that no rule of the load balancer was read".into())
}

/// The first of the promises about what is told that was broken.
fn mistold(shared: &Shared, case: &Case, until: Until, verdict: Verdict) -> Option<String> {
    let ends = shared.ends.borrow();
    if ends.as_slice() != [verdict] {
        return Some(format!(
            "verdict taken back: {ends:?}, and {} in the end",
            verdict.as_str()
        ));
    }
    let ledger = shared.ledger.borrow();
    let bindings = &case.scenario.services[0].load_balancers;
    let mut groups = bindings
        .iter()
        .flat_map(|b| [&b.target_group, &b.alternate_target_group])
        .flatten();
    // Which target groups ECS manages for a service only its revision shows.
    let is_refused = case.misbehaviour.denied.contains(&"ecs:DescribeServiceRevisions");
    if is_refused && !groups.clone().any(|group| ledger.has_seen_group(group)) {
        return ledger.broken();
    }
    if verdict == Verdict::Succeeded
        && let Some(group) = groups.find(|group| !ledger.has_seen_group(group))
    {
        return Some(format!("lie: succeeded, and nobody has looked at target group {group}"));
    }
    let wanted = bindings.len();
    // Another deployment that has taken over takes the targets of a complete one out of service.
    let healthy = match shared.stretch.replaced.get() {
        Some(_) => ledger.places_ever_healthy(),
        None => ledger.healthy_places(),
    };
    if verdict == Verdict::Succeeded && until > Until::Registered && healthy < wanted {
        return Some(format!(
            "lost event: succeeded, and not {wanted} targets were told to be healthy"
        ));
    }
    ledger.broken()
}

pub fn request(case: &Case) -> DeployRequest {
    let service = &case.scenario.services[0];
    let mut definition = service.task_definition.clone();
    if case.has_new_image {
        definition["containerDefinitions"][0]["image"] = "example/web:2".into();
    }
    DeployRequest {
        cluster: "c".into(),
        service: "web".into(),
        base: DefinitionSource::Document(Box::new(Document::from_value(definition, "web"))),
        images: Vec::new(),
        environment: Vec::new(),
        // A fixed port stays fixed here: the deadlock is part of the test.
        dynamic_ports: DynamicPorts::Keep,
        allow_unknown_keys: false,
        shows_values: false,
        load_balancers: Vec::new(),
        force_new_deployment: true,
        until: case.until,
        settle: case.settle,
        timeout: Some(case.timeout),
        poll_interval: case.poll_interval,
        fail_on: Severity::Error,
        allowed: Vec::new(),
        url: None,
        depends_on: Vec::new(),
        policy: Default::default(),
    }
}

fn refused(findings: &[portzero_core::base::finding::Finding]) -> Played {
    Played {
        verdict: Verdict::Refused,
        story: findings.iter().map(report::finding::render).collect(),
        lasted: Duration::ZERO,
        truth_age: None,
        until: Until::Drained,
        replaced: None,
        back_to: None,
        primary: None,
        mistold: None,
    }
}

/// What clock and story know together.
#[derive(Default)]
pub struct Shared {
    pub deployment: RefCell<Option<String>>,
    pub done_at: RefCell<Option<Timestamp>>,
    is_true: Cell<bool>,
    pub stretch: Stretch,
    trouble: Cell<Option<Trouble>>,
    /// Nobody may find out where the load balancers send the requests.
    pub is_blind_to_rules: Cell<bool>,
    ledger: RefCell<Ledger>,
    ends: RefCell<Vec<Verdict>>,
}

/// A virtual clock that looks at the truth as time passes.
#[derive(Clone)]
pub struct Judge {
    pub aws: InProcessAws,
    pub started_at: Timestamp,
    pub shared: Rc<Shared>,
    pub is_done: fn(&GroundTruth) -> bool,
    /// For how long no new task may have ended by itself; `None` where that is not asked for.
    pub quiet_for: Option<Duration>,
}

/// Far beyond every budget.
const fn case_limit() -> Duration {
    Duration::from_secs(6 * 3600)
}

impl Judge {
    /// What the world's own clock shows, whatever becomes of the run's.
    pub fn world_now(&self) -> Timestamp {
        time(self.aws.world().borrow().now())
    }

    pub fn judge(&self) {
        let world = self.aws.world();
        let world = world.borrow();
        let deployment = self.shared.deployment.borrow();
        let truth = deployment.as_ref().map(|id| world.ground_truth("c", "web", id));
        let (mut truth, now) = (truth.unwrap_or_default(), time(world.now()));
        truth.routed |= self.shared.is_blind_to_rules.get();
        let is_quiet = self.quiet_for.is_none_or(|span| truth.is_quiet(span, world.now()));
        self.shared
            .is_true
            .set(deployment.is_some() && is_quiet && (self.is_done)(&truth));
        self.still_true(now);
        self.shared.stretch.judge(&truth, now);
    }

    fn still_true(&self, now: Timestamp) {
        if self.shared.is_true.get() {
            *self.shared.done_at.borrow_mut() = Some(now);
        }
        self.shared.stretch.lasts(now);
    }

    /// Looks after everything that happens: a moment of truth may be shorter than any step. Between two happenings
    /// nothing changes.
    fn judge_until(&self, until: Timestamp) {
        let world = self.aws.world();
        loop {
            let next = world.borrow().next_event_at().filter(|at| time(*at) <= until);
            let Some(next) = next else { return };
            self.still_true(time(next));
            world.borrow_mut().advance(next);
            self.judge();
        }
    }

    fn settle_look(&self) {
        self.shared.ledger.borrow_mut().look(&self.aws.take_answers());
    }
}

/// How the API misbehaves, from when on, and how late the run looks.
#[derive(Clone, Copy)]
struct Trouble {
    since: Timestamp,
    shape: Misbehaviour,
    lasts: Duration,
    outage: Option<(Duration, Duration)>,
    lag: Duration,
}

impl Trouble {
    fn at(&self, now: Timestamp) -> Misbehaviour {
        let age = now.since(self.since);
        let lists = Misbehaviour {
            permuted: self.shape.permuted,
            repeated: self.shape.repeated,
            denied: self.shape.denied,
            ..Misbehaviour::default()
        };
        match self.outage {
            Some((from, span)) if (from..from + span).contains(&age) => Misbehaviour {
                transient: 1.0,
                ..lists
            },
            _ if age < self.lasts => self.shape,
            _ => lists,
        }
    }
}

impl Clock for Judge {
    fn now(&self) -> Moment {
        self.aws.clock().now()
    }

    async fn sleep(&self, span: Duration) {
        self.settle_look();
        let trouble = self.shared.trouble.get();
        let is_stale = trouble.is_some_and(|trouble| trouble.shape.stale > 0.0);
        let mut left = span + trouble.map_or(Duration::ZERO, |trouble| trouble.lag);
        while !left.is_zero() {
            self.judge();
            let step = if is_stale { left.min(GRAIN) } else { left };
            let until = self.world_now() + step;
            self.judge_until(until);
            self.aws.clock().sleep(until.since(self.world_now())).await;
            self.still_true(until);
            left -= step;
        }
        // Whatever never ends must end here, or the test itself would hang.
        assert!(
            self.world_now() < self.started_at + case_limit(),
            "a run that does not end"
        );
        if let Some(trouble) = trouble {
            self.aws.set_misbehaviour(trouble.at(self.world_now()));
        }
    }
}

/// Collects the story; the API begins to misbehave once the update has been answered.
pub struct Story<'a> {
    pub aws: InProcessAws,
    pub shared: Rc<Shared>,
    pub case: &'a Case,
    pub text: String,
}

impl Story<'_> {
    fn misbehave(&self) {
        let at = time(self.aws.world().borrow().now());
        let trouble = Trouble {
            since: at,
            shape: self.case.misbehaviour,
            lasts: self.case.misbehaves_for,
            outage: self.case.outage,
            lag: self.case.lag,
        };
        self.shared.trouble.set(Some(trouble));
        self.aws.set_misbehaviour(trouble.at(at));
    }
}

impl Report for Story<'_> {
    fn event(&mut self, event: &RunEvent) {
        if let EventKind::Updated { deployment, .. } = &event.kind {
            *self.shared.deployment.borrow_mut() = Some(deployment.to_string());
            let mut ledger = self.shared.ledger.borrow_mut();
            ledger.look(&self.aws.take_answers());
            ledger.begin(deployment.as_str(), self.case.misbehaviour.stale > 0.0);
            drop(ledger);
            self.misbehave();
        }
        if let EventKind::Attached(_) = &event.kind {
            self.misbehave();
        }
        match &event.kind {
            EventKind::Rollout(event) => self.shared.ledger.borrow_mut().tell(event),
            EventKind::Ended(outcome) => self.shared.ends.borrow_mut().push(outcome.verdict),
            _ => {}
        }
        for line in report::line::render(event) {
            self.text
                .push_str(&format!("{:>6.1} {line}\n", event.elapsed.as_secs_f64()));
        }
    }
}

/// The first promise that a played case breaks, in words.
pub fn broken_promise(case: &Case, played: &Played) -> Option<String> {
    if let Some(mistold) = &played.mistold {
        return Some(mistold.clone());
    }
    if let Some(line) = blamed_sidecar(&played.story) {
        return Some(format!("false alarm: what ends no task is blamed: {line}"));
    }
    // A stale answer may be this old.
    let tolerance = case.misbehaviour.staleness + GRAIN;
    if let Some(alarm) = false_alarm(case, played.until, played.verdict, played.replaced) {
        return Some(alarm);
    }
    match played.verdict {
        Verdict::Succeeded if may_succeed(case, played.until, played.replaced) => {}
        Verdict::Succeeded => match played.truth_age {
            None => return Some("lie: succeeded, and the world was never done".into()),
            Some(age) if age > tolerance => {
                return Some(format!("lie: succeeded, and the world had not been done for {age:?}"));
            }
            Some(_) => {}
        },
        Verdict::NothingToVerify if case.scenario.services[0].desired_count > 0 && case.scenario.faults.is_empty() => {
            return Some("nothing to verify, and tasks are wanted".into());
        }
        verdict if case.must_succeed && !verdict.is_success() && has_time(case) && !is_blinded(case, verdict) => {
            return Some(format!("false alarm: {} in a world without faults", verdict.as_str()));
        }
        Verdict::CouldNotObserve if !can_be_blinded(case) => {
            return Some("blind: could not observe, and AWS has answered each call".into());
        }
        _ => {}
    }
    // Where somebody else's deployment is in the way, it may be waited for just as long.
    let is_busy = |fault: &FaultSpec| fault.fault == Fault::DeploymentInProgress;
    let waits = 1 + u32::from(case.scenario.faults.iter().any(is_busy));
    let limit = case.timeout * waits + Duration::from_secs(60) + case.lag * 2;
    (played.lasted > limit).then(|| format!("hang: {:?} with a budget of {:?}", played.lasted, case.timeout))
}

/// The error that names the container which no task needs.
fn blamed_sidecar(story: &str) -> Option<&str> {
    let mut errors = story.lines().filter(|line| line.starts_with("error["));
    errors.find(|line| line.contains(SIDECAR))
}

/// The same for a run that goes back after a failure: where it says that the service is back, ECS has completed that.
#[allow(dead_code, reason = "the example plays no ways back")]
pub fn broken_way_back(case: &Case, played: &Played) -> Option<String> {
    if let Some(back_to) = &played.back_to
        && !matches!(&played.primary, Some((revision, state)) if revision == back_to && state == "COMPLETED")
    {
        return Some(format!(
            "lie: back to {back_to}, and the service is at {:?}",
            played.primary
        ));
    }
    let rollback_report = case.timeout.max(Duration::from_secs(600));
    let limit = case.timeout + rollback_report + Duration::from_secs(120) + case.lag * 2;
    (played.lasted > limit).then(|| format!("hang: {:?} with budgets of {limit:?}", played.lasted))
}

/// Whether the budget is enough for whatever the settings make of a rollout.
pub fn has_time(case: &Case) -> bool {
    let is_small = case.scenario.services[0].desired_count <= 4 && case.lag < Duration::from_secs(10);
    case.timeout >= Duration::from_secs(if is_small { 1800 } else { 3600 })
}

/// Whether the API kept so much back that nothing could be known.
pub fn is_blinded(case: &Case, verdict: Verdict) -> bool {
    verdict == Verdict::CouldNotObserve && can_be_blinded(case)
}

/// Whether anything keeps AWS's answers back at all. What is not there is an answer.
fn can_be_blinded(case: &Case) -> bool {
    let trouble = &case.misbehaviour;
    case.outage.is_some() || trouble.throttled + trouble.transient + trouble.reset > 0.0
}

/// How often each verdict came, for the summary.
pub fn tally(verdicts: &[Verdict]) -> BTreeMap<&'static str, usize> {
    let mut tally = BTreeMap::new();
    for verdict in verdicts {
        *tally.entry(verdict.as_str()).or_default() += 1;
    }
    tally
}
