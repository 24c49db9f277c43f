//! Snapshots of a world as it rolls out, each beside a twin whose lists are shuffled.

use std::collections::BTreeSet;
use std::time::Duration;

use portzero::app::deploy;
use portzero::app::survey::Reader;
use portzero_core::aws_model::service::ServiceUpdate;
use portzero_core::base::time::Moment;
use portzero_core::port::{Clock, Ecs};
use portzero_core::rollout::view::View;
use portzero_core::rollout::view::phase::Memory;
use portzero_core::rollout::view::success::waiting_on;
use portzero_core::rollout::{Baseline, Needs, Phase, Scope, Snapshot, Until, WaitingOn};
use portzero_sim::World;
use portzero_testkit::InProcessAws;

use super::generate::Case;
use super::play;

type Look = (Phase, Vec<WaitingOn>);

/// Looks at the world every so often while its first deployment rolls out.
pub fn with_shuffled_twins(case: &Case) -> Vec<(Look, Look)> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(looks(case))
}

async fn looks(case: &Case) -> Vec<(Look, Look)> {
    let aws = InProcessAws::new(World::new(&case.scenario).unwrap());
    let clock = aws.clock();
    let Ok((plan, survey)) = deploy::plan(&aws, &clock, play::request(case)).await else {
        return Vec::new();
    };
    let update = ServiceUpdate {
        cluster: "c".into(),
        service: "web".into(),
        task_definition: plan.before.clone().unwrap(),
        force_new_deployment: true,
    };
    let Ok(answer) = aws.update_service(&update).await else {
        return Vec::new();
    };
    let scope = Scope {
        cluster: "c".into(),
        service: "web".into(),
        deployment: answer.primary().unwrap().id.clone(),
        task_definition: update.task_definition.clone(),
        previous: None,
        good: None,
        bindings: [&answer.load_balancers[..], &survey.service.managed.bindings[..]].concat(),
        target_groups: plan.target_groups.clone(),
        managed: survey.service.managed.clone(),
        is_host_network: false,
        needs: Needs::default(),
        until: Until::Drained,
        settle: case.settle,
        wait_budget: case.timeout,
    };
    let baseline = Baseline::of(&survey.snapshot, &scope).with_answer(&answer, &scope.deployment);
    let mut reader = Reader::new("c".into(), "web".into());
    reader.watch(scope.target_groups.keys().cloned().collect());
    let mut rng = fastrand::Rng::with_seed(case.scenario.seed);
    let mut pairs = Vec::new();
    for _ in 0..12 {
        clock.sleep(Duration::from_secs(rng.u64(3..25))).await;
        // A target group that is deleted is no snapshot to look at.
        let Ok(snapshot) = reader.snapshot(&aws, Some(&scope.deployment), false).await else {
            continue;
        };
        let twin = shuffled(&snapshot, &mut rng);
        pairs.push((
            look(&snapshot, &scope, &baseline, clock.now()),
            look(&twin, &scope, &baseline, clock.now()),
        ));
    }
    pairs
}

fn look(snapshot: &Snapshot, scope: &Scope, baseline: &Baseline, now: Moment) -> Look {
    let places: BTreeSet<_> = baseline.places.clone();
    let view = View::of(snapshot, scope, baseline, &places);
    (
        Phase::of(&view, scope),
        waiting_on(&view, scope, &Memory::default(), now),
    )
}

fn shuffled(snapshot: &Snapshot, rng: &mut fastrand::Rng) -> Snapshot {
    let mut twin = snapshot.clone();
    rng.shuffle(&mut twin.tasks);
    for rows in twin.targets.values_mut() {
        rng.shuffle(rows);
    }
    for task in &mut twin.tasks {
        for container in &mut task.containers {
            rng.shuffle(&mut container.network_bindings);
        }
    }
    if let Some(service) = &mut twin.service {
        rng.shuffle(&mut service.deployments);
        rng.shuffle(&mut service.load_balancers);
    }
    twin
}
