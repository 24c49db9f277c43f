//! Volleys of random requests against one world, with time passing between them, so that what a request has damaged
//! shows when the scheduler comes by.

use std::time::Duration;

use portzero_sim::scenario::Scenario;
use portzero_sim::wire::{HttpRequest, Wire};
use portzero_sim::world::World;

use super::mutate::Seeds;

/// So many requests share a world: enough for one to stumble over what another has left.
pub const VOLLEY: u64 = 500;

/// Sends one volley; `before_each` hears of each request before it is handled. Gives how many were answered with 200.
pub fn send(scenario: &Scenario, seeds: &Seeds, seed: u64, count: u64, before_each: &dyn Fn(&HttpRequest)) -> u64 {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut world = World::new(&Scenario {
        seed,
        ..scenario.clone()
    })
    .expect("a world");
    let mut wire = Wire::new();
    let mut known = names(&world);
    let mut good = 0;
    for number in 0..count {
        let request = seeds.request(&mut rng, &known);
        before_each(&request);
        good += u64::from(wire.handle(&mut world, &request).status == 200);
        if number % 16 == 0 {
            world.advance(world.now() + Duration::from_millis(rng.u64(..20_000)));
            known = names(&world);
        }
    }
    good
}

/// Ids and ARNs that the world has now.
fn names(world: &World) -> Vec<String> {
    let account = world.account();
    let mut names: Vec<String> = account
        .target_groups
        .keys()
        .chain(account.load_balancers.keys())
        .cloned()
        .collect();
    let balancers = account.load_balancers.values();
    names.extend(
        balancers
            .flat_map(|balancer| &balancer.listeners)
            .map(|listener| listener.arn.clone()),
    );
    for cluster in account.clusters.values() {
        names.extend(
            cluster
                .instances
                .values()
                .flat_map(|i| [i.id.clone(), i.arn.clone(), i.ec2_instance_id.clone()]),
        );
        names.extend(
            cluster
                .tasks
                .values()
                .flat_map(|task| [task.id.clone(), task.arn.clone()]),
        );
        for service in cluster.services.values() {
            names.push(service.arn.clone());
            let deployments = service.service_deployments.iter();
            names.extend(deployments.flat_map(|one| [one.arn.clone(), one.target_revision.clone()]));
        }
    }
    names
}
