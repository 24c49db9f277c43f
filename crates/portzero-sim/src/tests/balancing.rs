//! Load balancers that change while the world goes on.

use std::time::Duration;

use super::{Story, bridge};
use crate::World;
use crate::api::scalable::TargetChange;
use crate::balancer::listeners::{ListenerChange, NewLoadBalancer};
use crate::balancer::target_groups::CheckChange;
use crate::model::load_balancer::{Action, Condition};
use crate::model::network::subnet_of;
use crate::model::state::{Target, TargetGroup};
use crate::model::status::TargetState;
use crate::scenario::{ClassicSpec, GroupAddresses, InstanceSpec, LoadBalancerSpec, Scenario};

fn world(scenario: &Scenario) -> World {
    World::new(scenario).expect("a world")
}

fn pass(world: &mut World, seconds: u64) {
    world.advance(world.now() + Duration::from_secs(seconds));
}

/// A service whose target group no listener forwards to.
fn unattached() -> Scenario {
    let mut scenario = bridge(0, 1);
    scenario.target_groups[0].attached = false;
    scenario
}

fn group_arn(world: &World) -> String {
    world.account().target_groups.keys().next().expect("a group").clone()
}

fn target(world: &World) -> Target {
    let group = world.account().target_groups.values().next().expect("a group");
    group.targets.first().expect("a target").clone()
}

fn create_balancer(world: &mut World, name: &str, kind: &str) -> String {
    let new = NewLoadBalancer {
        name: name.into(),
        kind: Some(kind.into()),
        subnets: ["us-east-1a", "us-east-1b"].map(subnet_of).to_vec(),
        ..NewLoadBalancer::default()
    };
    world.create_load_balancer(&new).expect("created")
}

fn forward(protocol: &str, port: u16, group: &str) -> ListenerChange {
    ListenerChange {
        protocol: Some(protocol.into()),
        port: Some(port),
        actions: Some(vec![Action::forward(group)]),
        ..ListenerChange::default()
    }
}

#[test]
fn a_listener_brings_its_targets_into_use_and_takes_them_out_again() {
    let mut world = world(&unattached());
    let group = group_arn(&world);
    assert_eq!(target(&world).state, TargetState::Unused);
    let balancer = create_balancer(&mut world, "front", "application");
    // It takes two minutes until there are nodes to check from.
    pass(&mut world, 120);
    let listener = world
        .create_listener(&balancer, &forward("HTTP", 80, &group), &[])
        .expect("created");
    assert_eq!(target(&world).reason.as_deref(), Some("Elb.RegistrationInProgress"));
    pass(&mut world, 31);
    assert_eq!(target(&world).state, TargetState::Healthy);
    world.delete_listener(&listener).expect("deleted");
    assert_eq!(target(&world).reason.as_deref(), Some("Target.NotInUse"));
    pass(&mut world, 300);
    assert_eq!(target(&world).state, TargetState::Unused);
}

#[test]
fn a_load_balancer_that_is_being_set_up_checks_nothing() {
    let mut world = world(&unattached());
    let group = group_arn(&world);
    let balancer = create_balancer(&mut world, "front", "application");
    world
        .create_listener(&balancer, &forward("HTTP", 80, &group), &[])
        .expect("created");
    pass(&mut world, 119);
    assert_eq!(target(&world).state, TargetState::Initial);
    pass(&mut world, 32);
    assert_eq!(target(&world).state, TargetState::Healthy);
}

#[test]
fn a_rule_alone_keeps_a_group_in_use() {
    let mut world = world(&unattached());
    let group = group_arn(&world);
    let balancer = create_balancer(&mut world, "front", "application");
    let nothing = ListenerChange {
        actions: Some(vec![Action {
            kind: "fixed-response".into(),
            settings: vec![("StatusCode".into(), "404".into())],
            ..Action::default()
        }]),
        ..forward("HTTP", 80, &group)
    };
    let listener = world.create_listener(&balancer, &nothing, &[]).expect("created");
    assert_eq!(target(&world).state, TargetState::Unused);
    let condition = Condition {
        field: "host-header".into(),
        values: vec!["web.example.com".into()],
        ..Condition::default()
    };
    let actions = vec![Action::forward(&group)];
    let rule = world
        .create_rule(&listener, 1, vec![condition], actions, &[])
        .expect("created");
    assert_eq!(target(&world).state, TargetState::Initial);
    let refusal = world.delete_target_group(&group).expect_err("in use");
    assert_eq!(refusal.code, "ResourceInUse");
    world.delete_rule(&rule).expect("deleted");
    assert_eq!(target(&world).state, TargetState::Unused);
}

#[test]
fn a_detour_through_disuse_leaves_one_row_of_checks() {
    let mut world = world(&unattached());
    let group = group_arn(&world);
    let balancer = create_balancer(&mut world, "front", "application");
    pass(&mut world, 120);
    for port in 80..90 {
        let listener = world
            .create_listener(&balancer, &forward("HTTP", port, &group), &[])
            .expect("created");
        pass(&mut world, 1);
        world.delete_listener(&listener).expect("deleted");
    }
    let before = target(&world).streak;
    world
        .create_listener(&balancer, &forward("HTTP", 80, &group), &[])
        .expect("created");
    pass(&mut world, 301);
    // One check each 30 s: more would come from the rows of the listeners before.
    assert!(
        (9..=11).contains(&(target(&world).streak - before)),
        "{:?}",
        target(&world)
    );
}

#[test]
fn a_network_load_balancer_takes_half_a_minute_longer() {
    let mut scenario = bridge(0, 1);
    scenario.target_groups[0].protocol = "TCP".into();
    let mut story = Story::of(&scenario);
    story.pass(900);
    assert!(story.truth().is_done());
    let at = |words: &str| {
        let events = story.service().events.iter();
        let found = events.rev().filter(|event| event.created_at >= story.update);
        found
            .clone()
            .find(|event| event.message.contains(words))
            .map(|event| event.created_at)
    };
    let gap = at(" has stopped ").unwrap().since(at(" registered ").unwrap());
    // Recording 48: 40.3 to 41.9 s in eight of eight rollouts.
    assert!(
        (Duration::from_secs(38)..Duration::from_secs(43)).contains(&gap),
        "{gap:?}"
    );
}

#[test]
fn a_changed_interval_holds_from_the_next_check_on() {
    let mut world = world(&bridge(0, 1));
    let group = group_arn(&world);
    let change = CheckChange {
        interval: Some(5),
        timeout: Some(2),
        ..CheckChange::default()
    };
    world.modify_target_group(&group, &change).expect("modified");
    pass(&mut world, 31);
    let before = target(&world).streak;
    pass(&mut world, 60);
    assert_eq!(target(&world).streak - before, 12);
}

#[test]
fn checks_that_are_switched_off_leave_targets_unavailable_until_they_are_back() {
    let mut world = world(&bridge(0, 1));
    let group = group_arn(&world);
    let mut check = world.account().target_groups[&group].health_check.clone();
    check.enabled = false;
    world.set_health_check(&group, check.clone());
    assert_eq!(target(&world).reason.as_deref(), Some("Target.HealthCheckDisabled"));
    check.enabled = true;
    world.set_health_check(&group, check);
    assert_eq!(target(&world).state, TargetState::Initial);
    pass(&mut world, 31);
    assert_eq!(target(&world).state, TargetState::Healthy);
}

#[test]
fn a_task_whose_target_is_taken_away_is_replaced() {
    let mut world = world(&bridge(0, 1));
    let (group, lost) = (group_arn(&world), target(&world));
    let targets = [(lost.id.clone(), Some(lost.port))];
    world.deregister_by_hand(&group, &targets).expect("deregistered");
    assert_eq!(target(&world).state, TargetState::Draining);
    pass(&mut world, 900);
    let events = &world.account().clusters["default"].services["web"].events;
    let said = |words: &str| events.iter().any(|event| event.message.contains(words));
    assert!(said("due to TARGET IS NOT FOUND"), "{events:#?}");
    assert!(target(&world).state == TargetState::Healthy && target(&world).task != lost.task);
}

#[test]
fn where_nobody_is_healthy_everybody_is_served() {
    let mut world = world(&bridge(0, 1));
    let group = group_arn(&world);
    let instance = target(&world).id;
    assert_eq!(world.shares(&group).len(), 1);
    world
        .register_by_hand(&group, &[(instance, Some(9))])
        .expect("registered");
    pass(&mut world, 120);
    assert_eq!(
        world.shares(&group).len(),
        1,
        "an unhealthy one beside a healthy one gets nothing"
    );
    let healthy = target(&world);
    world
        .deregister_by_hand(&group, &[(healthy.id, Some(healthy.port))])
        .expect("deregistered");
    let shares = world.shares(&group);
    assert!(
        shares.len() == 1 && shares[0].0.state == TargetState::Unhealthy,
        "{shares:?}"
    );
}

#[test]
fn a_slowly_starting_target_gets_less_at_first() {
    let mut scenario = bridge(0, 2);
    scenario.target_groups[0].slow_start = Duration::from_secs(100);
    let mut story = Story::of(&scenario);
    let group = group_arn(&story.world);
    let mut least = 1.0_f64;
    for _ in 0..600 {
        story.pass(1);
        let shares = story.world.shares(&group);
        assert!((shares.iter().map(|(_, share)| share).sum::<f64>() - 1.0).abs() < 1e-9);
        least = shares.iter().map(|(_, share)| *share).fold(least, f64::min);
    }
    assert!(least < 0.1, "{least}");
}

#[test]
fn a_rollout_behind_a_classic_load_balancer_tells_of_instances() {
    let mut scenario = bridge(8080, 1);
    scenario.instances = vec![InstanceSpec {
        count: 2,
        ..InstanceSpec::default()
    }];
    scenario.target_groups.clear();
    scenario.services[0].load_balancers = vec![LoadBalancerSpec {
        load_balancer_name: Some("front".into()),
        container_name: "web".into(),
        container_port: 80,
        ..LoadBalancerSpec::default()
    }];
    let mut spec = ClassicSpec {
        name: "front".into(),
        connection_draining: Duration::from_secs(60),
        ..ClassicSpec::default()
    };
    (spec.health_check.interval, spec.health_check.healthy_threshold) = (Duration::from_secs(10), 3);
    scenario.classic_load_balancers.push(spec);
    let mut story = Story::of(&scenario);
    story.pass(900);
    assert!(story.truth().is_done(), "{:#?} {:#?}", story.truth(), story.events());
    assert_eq!(
        story.says("registered 1 instances in (elb front)"),
        2,
        "{:#?}",
        story.events()
    );
    let balancer = &story.world.account().classic_balancers["front"];
    assert_eq!(balancer.group.targets.len(), 1);
    assert_eq!((balancer.group.port, balancer.group.targets[0].port), (8080, 8080));
}

#[test]
fn a_minimum_above_the_desired_count_raises_it() {
    let mut world = world(&bridge(0, 1));
    let bounds = |minimum, maximum| TargetChange {
        minimum: Some(minimum),
        maximum: Some(maximum),
        suspended: None,
    };
    world
        .register_scalable_target("service/default/web", &bounds(3, 5))
        .expect("registered");
    pass(&mut world, 300);
    let service = &world.account().clusters["default"].services["web"];
    assert_eq!((service.desired_count, service.deployments[0].running_count), (3, 3));
    world
        .register_scalable_target("service/default/web", &bounds(1, 2))
        .expect("registered");
    pass(&mut world, 300);
    let service = &world.account().clusters["default"].services["web"];
    assert_eq!((service.desired_count, service.deployments[0].running_count), (2, 2));
    let refusal = world
        .register_scalable_target("service/default/none", &bounds(1, 2))
        .expect_err("no service");
    assert_eq!(refusal.message, "ECS service doesn't exist: service/default/none");
    assert_eq!(refusal.code, "ValidationException");
}

#[test]
fn of_two_services_behind_one_group_each_has_a_truth_of_its_own() {
    let mut scenario = bridge(0, 2);
    let mut other = scenario.services[0].clone();
    other.name = "other".into();
    other.task_definition["family"] = "other".into();
    scenario.services.push(other);
    let mut story = Story::of(&scenario);
    assert!(!story.truth().is_done());
    story.pass_until(|story| story.truth().new_targets_healthy && story.truth().old_targets_left == 2);
    story.pass(1800);
    assert!(story.truth().is_done(), "{:?}", story.truth());
    assert_eq!(story.target_ports().len(), 4, "the other's two are there");
}

#[test]
fn t04_a_group_holds_addresses_of_its_own_kind_alone() {
    let mut scenario = super::fargate();
    let mut group = scenario.target_groups[0].clone();
    (group.name, group.ip_address_type) = ("of-ipv6".into(), GroupAddresses::Ipv6);
    scenario.target_groups.push(group);
    let mut binding = scenario.services[0].load_balancers[0].clone();
    binding.target_group = Some("of-ipv6".into());
    scenario.services[0].load_balancers.push(binding);
    let mut world = world(&scenario);
    let groups: Vec<TargetGroup> = world.account().target_groups.values().cloned().collect();
    for group in &groups {
        let is_ipv6 = group.name == "of-ipv6";
        assert!(!group.targets.is_empty(), "{}", group.name);
        assert!(group.targets.iter().all(|target| target.id.contains(':') == is_ipv6));
        let balancer = world.account().load_balancers[&group.load_balancer_arns[0]].clone();
        assert_eq!(balancer.ip_address_type, if is_ipv6 { "dualstack" } else { "ipv4" });
        let by_hand = |id: &str| vec![(id.to_owned(), None)];
        let wrong = if is_ipv6 { "10.0.0.1" } else { "2600:1f18:3aa::1" };
        let refused = world
            .register_by_hand(&group.arn, &by_hand(wrong))
            .expect_err("of the other kind");
        assert!(refused.message.contains("is not a valid IPv"), "{}", refused.message);
    }
}

#[test]
fn t04_a_service_without_the_addresses_of_its_group_is_no_scenario() {
    let text = "target_groups: [{name: web, ip_address_type: ipv6}]\nservices: [{name: web, ip_addresses: ipv4, \
                load_balancers: [{target_group: web, container_name: web, container_port: 80}]}]\n";
    let mistakes = Scenario::read(text, "a.yml").expect_err("a mistake");
    assert!(mistakes[0].message.contains("have IPv6 addresses"), "{mistakes:?}");
}
