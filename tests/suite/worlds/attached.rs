//! Joins a case's rollout at a random moment, with nothing but what AWS shows then, and the simulated world as the judge.

use std::rc::Rc;
use std::time::Duration;

use portzero::app::deploy::{Run, Watch};
use portzero::app::ports::Ports;
use portzero::report;
use portzero_core::aws_model::service::ServiceUpdate;
use portzero_core::plan::{DefinitionSource, DeployRequest};
use portzero_core::port::{Clock, Ecs, NeverInterrupted};
use portzero_core::rollout::{Until, Verdict};
use portzero_sim::{GroundTruth, World};
use portzero_testkit::{InProcessAws, Misbehaviour, time};

use super::generate::Case;
use super::play::{Judge, Played, Shared, Story, has_time, is_blind_to_rules, is_blinded, request};
use super::replaced::may_succeed;

/// Somebody updates the service, and some time later somebody else joins. `None`: there is nothing to join.
pub fn play(case: &Case) -> Option<Played> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(play_in(case))
}

async fn play_in(case: &Case) -> Option<Played> {
    let world = World::new(&case.scenario).unwrap();
    let aws = InProcessAws::new(world).misbehaving(Misbehaviour::default(), case.scenario.seed);
    let shared = Rc::new(Shared::default());
    shared.is_blind_to_rules.set(is_blind_to_rules(case));
    let mut clock = Judge {
        aws: aws.clone(),
        started_at: time(aws.world().borrow().now()),
        shared: Rc::clone(&shared),
        is_done: GroundTruth::is_done,
        quiet_for: Some(Duration::ZERO),
    };
    let mut rng = fastrand::Rng::with_seed(case.scenario.seed ^ 0xa77a);
    let id = update(&aws).await?;
    *shared.deployment.borrow_mut() = Some(id.to_string());
    clock.sleep(Duration::from_secs(rng.u64(0..400))).await;
    clock.started_at = clock.world_now();
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
    let mut run = Run::new(ports, &mut story, portzero::app::deploy::Pace::even());
    let mut request = request(case);
    (request.base, request.until) = (DefinitionSource::Running, Until::Drained);
    let watch = Watch {
        request,
        deployment: rng.bool().then_some(id),
        settle: None,
    };
    let runs = run.attach(vec![watch]).await.unwrap_or_else(|refused| refused);
    clock.judge();
    let done = runs.into_iter().next()?;
    // Without a name it may be another one that is followed: the newest.
    let ours = done.deployment.clone();
    let is_the_one = ours.as_ref().map(ToString::to_string) == *shared.deployment.borrow();
    let now = clock.world_now();
    let truth_age = if is_the_one {
        shared.done_at.borrow().map(|at| now.since(at))
    } else {
        let world = aws.world();
        let world = world.borrow();
        let is_done = ours.is_some_and(|id| {
            let mut truth = world.ground_truth("c", "web", id.as_str());
            truth.routed |= is_blind_to_rules(case);
            truth.is_done()
        });
        is_done.then_some(Duration::ZERO)
    };
    Some(Played {
        verdict: done.verdict(),
        story: story.text + &report::log::closing(&done),
        lasted: now.since(clock.started_at),
        truth_age,
        until: Until::Drained,
        replaced: shared.stretch.replaced.get().filter(|_| is_the_one),
        back_to: None,
        primary: None,
        mistold: None,
    })
}

/// A run goes blind in mid-rollout and gives up; when AWS can be read again, another one joins. Gives both verdicts, and
/// whether the world is done then.
pub fn play_after_a_blind_run(case: &Case) -> (Verdict, Verdict, bool) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(blind_then_joined(case))
}

async fn blind_then_joined(case: &Case) -> (Verdict, Verdict, bool) {
    let blinding = Case {
        misbehaviour: Misbehaviour {
            transient: 1.0,
            ..Misbehaviour::default()
        },
        misbehaves_for: Duration::from_secs(24 * 3600),
        ..case.clone()
    };
    let seeing = Case {
        misbehaviour: Misbehaviour::default(),
        ..case.clone()
    };
    let aws =
        InProcessAws::new(World::new(&case.scenario).unwrap()).misbehaving(Misbehaviour::default(), case.scenario.seed);
    let shared = Rc::new(Shared::default());
    let clock = Judge {
        aws: aws.clone(),
        started_at: time(aws.world().borrow().now()),
        shared: Rc::clone(&shared),
        is_done: GroundTruth::is_done,
        quiet_for: Some(Duration::ZERO),
    };
    let story = |case| Story {
        aws: aws.clone(),
        shared: Rc::clone(&shared),
        case,
        text: String::new(),
    };
    let planned = portzero::app::deploy::plan(&aws, &clock, request(case)).await;
    let (plan, survey) = planned.map_err(|(_, findings)| findings).unwrap();
    let mut reporter = story(&blinding);
    let ports = Ports {
        aws: &aws,
        clock: &clock,
        interrupts: &NeverInterrupted,
    };
    let mut run = Run::new(ports, &mut reporter, portzero::app::deploy::Pace::even());
    let blind = run.execute(vec![(plan, survey)]).await.remove(0);
    aws.set_misbehaviour(Misbehaviour::default());
    let mut reporter = story(&seeing);
    let ports = Ports {
        aws: &aws,
        clock: &clock,
        interrupts: &NeverInterrupted,
    };
    let mut run = Run::new(ports, &mut reporter, portzero::app::deploy::Pace::even());
    let watch = Watch {
        request: DeployRequest {
            base: DefinitionSource::Running,
            until: Until::Drained,
            ..request(case)
        },
        deployment: blind.deployment.clone(),
        settle: None,
    };
    let joined = run.attach(vec![watch]).await.unwrap().remove(0);
    let id = blind.deployment.clone().unwrap();
    let is_done = aws.world().borrow().ground_truth("c", "web", id.as_str()).is_done();
    (blind.verdict(), joined.verdict(), is_done)
}

async fn update(aws: &InProcessAws) -> Option<portzero_core::base::id::DeploymentId> {
    let cluster = "c".into();
    let described = aws.describe_services(&cluster, &["web".into()]).await.ok()?;
    let update = ServiceUpdate {
        cluster,
        service: "web".into(),
        task_definition: described.services.first()?.task_definition.clone()?,
        force_new_deployment: true,
    };
    let answer = aws.update_service(&update).await.ok()?;
    Some(answer.primary()?.id.clone())
}

/// The first promise that is broken. Nobody promises success to who comes late: only that it is true, and that it ends.
pub fn broken_promise(case: &Case, played: &Played) -> Option<String> {
    let tolerance = case.misbehaviour.staleness + Duration::from_secs(2);
    let may_succeed = may_succeed(case, played.until, played.replaced);
    if played.verdict == Verdict::Succeeded && !may_succeed && played.truth_age.is_none_or(|age| age > tolerance) {
        return Some(format!(
            "lie: succeeded, and the world was last done {:?} ago",
            played.truth_age
        ));
    }
    if case.must_succeed && !played.verdict.is_success() && has_time(case) && !is_blinded(case, played.verdict) {
        return Some(format!(
            "false alarm: {} in a world without faults",
            played.verdict.as_str()
        ));
    }
    // The first look is patient with an API that is out.
    let limit = case.timeout + Duration::from_secs(60 + 120) + case.lag;
    (played.lasted > limit).then(|| format!("hang: {:?} with a budget of {:?}", played.lasted, case.timeout))
}
