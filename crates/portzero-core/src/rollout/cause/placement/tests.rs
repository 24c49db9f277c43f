//! What ECS says of placement, and what is made of it.

use super::*;
use crate::base::finding::EvidenceLabel;

fn event(message: &str) -> ServiceEvent {
    ServiceEvent {
        id: "1".into(),
        created_at: None,
        message: message.into(),
    }
}

fn lack(tail: &str) -> Option<Lack> {
    let head = "(service web) was unable to place a task because no container instance met all of its requirements. ";
    read(&event(&format!("{head}{tail}"))).map(|trouble| trouble.lack)
}

#[test]
fn every_tail_of_the_event_is_a_lack_of_its_own() {
    let closest = "The closest matching (container-instance 0a1b) ";
    let cases = [
        ("is already using a port required by your task.", Lack::Port),
        ("has insufficient CPU units available.", Lack::Cpu),
        ("has insufficient memory available.", Lack::Memory),
        ("encountered error \"RESOURCE:ENI\".", Lack::Interface),
        ("encountered error \"AGENT\".", Lack::Agent),
        (
            "encountered error \"MemberOf placement constraint unsatisfied.\".",
            Lack::Constraint,
        ),
        ("is missing an attribute required by your task.", Lack::Attribute),
        ("is of a kind that nobody has seen.", Lack::Other),
    ];
    for (tail, expected) in cases {
        assert_eq!(lack(&format!("{closest}{tail}")), Some(expected), "{tail}");
    }
    let blocked = "(service web) was unable to stop or start tasks during a deployment because of the service deployment \
                   configuration. Update the minimumHealthyPercent or maximumPercent value and try again.";
    assert_eq!(read(&event(blocked)).map(|t| t.lack), Some(Lack::Limits));
    let none = "Reason: No Container Instances were found in your cluster.";
    assert_eq!(lack(none), Some(Lack::Instances));
}

#[test]
fn what_a_task_says_itself_is_no_lack_of_room() {
    let place = |reason: &str| {
        read(&event(&format!(
            "(service web) was unable to place a task. Reason: {reason}"
        )))
    };
    assert_eq!(place("CannotPullContainerError: web:2: not found."), None);
    assert_eq!(place("ResourceInitializationError: unable to pull secrets"), None);
    let quota = "You've reached the limit on the number of vCPUs you can run concurrently";
    assert_eq!(place(quota).map(|t| t.lack), Some(Lack::Quota));
    assert_eq!(
        place("Capacity is unavailable at this time.").map(|t| t.lack),
        Some(Lack::Aws)
    );
}

#[test]
fn an_event_is_about_placement_where_it_says_so_and_names_a_lack() {
    let read = |message: &str| read(&event(message)).map(|trouble| trouble.lack);
    assert_eq!(
        read("(service web) was unable to place tasks. Reason: Capacity is unavailable at this time."),
        Some(Lack::Aws)
    );
    let steady = "(service web) is unable to reach steady state";
    assert_eq!(
        read(&format!(
            "{steady}. Reason: No Container Instances were found in your cluster."
        )),
        Some(Lack::Instances)
    );
    assert_eq!(read(&format!("{steady}: insufficient memory available.")), None);
    assert_eq!(read("No Container Instances were found in your cluster."), None);
    assert_eq!(
        read("(service web) was unable to place a task. Reason: something new"),
        None
    );
    // The task says it itself, whatever else the event names.
    let unplaced =
        "(service web) was unable to place a task because no container instance met all of its requirements.";
    assert_eq!(
        read(&format!(
            "{unplaced} Reason: CannotPullContainerError: insufficient memory."
        )),
        None
    );
    let resource = "ResourceInitializationError: unable to pull secrets: insufficient memory.";
    assert_eq!(read(&format!("{unplaced} Reason: {resource}")), None);
}

fn instance(id: &str) -> ContainerInstance {
    ContainerInstance {
        arn: format!("container-instance/{id}").as_str().into(),
        ec2_instance_id: Some(id.into()),
        remaining: crate::aws_model::task::Resources {
            cpu: 512,
            memory: 512,
            reserved_ports: Vec::new(),
        },
        ..ContainerInstance::plain()
    }
}

fn fixed(host_port: u16) -> FixedPort {
    FixedPort {
        host_port,
        container: "web".into(),
        container_port: 3000,
    }
}

#[test]
fn only_an_open_instance_with_room_can_take_a_task() {
    let needs = Needs {
        cpu: 512,
        memory: 512,
        fixed_ports: vec![fixed(80)],
        ..Needs::default()
    };
    let fits = |change: fn(&mut ContainerInstance)| {
        let mut home = instance("i-1");
        change(&mut home);
        fits_somewhere(&needs, &[home])
    };
    assert!(fits(|_| {}));
    assert!(!fits(|i| i.status = "DRAINING".into()));
    assert!(!fits(|i| i.agent_connected = false));
    assert!(!fits(|i| i.remaining.cpu = 511));
    assert!(!fits(|i| i.remaining.memory = 511));
    assert!(!fits(|i| i.remaining.reserved_ports = vec![22, 80]));
}

fn told(lack: Lack, scope: &Scope, instances: &[ContainerInstance]) -> Finding {
    let trouble = PlacementTrouble {
        message: "no room".into(),
        lack,
        closest: Some("i-1".into()),
    };
    let limits = Limits {
        desired: 2,
        minimum_percent: 100,
        maximum_percent: 200,
        lower: 2,
        upper: 4,
    };
    cannot_place(&trouble, scope, Some(instances), Some(limits))
}

#[test]
fn an_old_task_is_advised_to_go_first_where_that_would_make_room() {
    let homes = [instance("i-1")];
    let stops_first = |lack, scope: &Scope| {
        let hints = told(lack, scope, &homes).hints;
        hints.iter().any(|hint| hint.contains("let ECS stop an old task first"))
    };
    let plain = Scope::plain();
    assert!(stops_first(Lack::Cpu, &plain));
    assert!(!stops_first(Lack::Attribute, &plain) && !stops_first(Lack::Constraint, &plain));
    // A port that any other would do for is better made a dynamic one.
    assert!(!stops_first(Lack::Port, &plain));
    let host = Scope {
        is_host_network: true,
        ..Scope::plain()
    };
    assert!(stops_first(Lack::Port, &host));
}

#[test]
fn what_is_measured_is_what_the_lack_is_about() {
    let measured = |lack, scope: &Scope, homes: &[ContainerInstance]| {
        let evidence = told(lack, scope, homes).evidence;
        evidence.into_iter().skip(1).collect::<Vec<_>>()
    };
    let row = |label: &str, text: &str| (EvidenceLabel::from(label), text.to_owned());
    let homes = [instance("i-1")];
    let mut scope = Scope::plain();
    assert_eq!(measured(Lack::Constraint, &scope, &homes), [row("closest", "i-1")]);
    scope.needs.constraints = vec!["attribute:zone == a".into()];
    let constraint = row("constraint", "attribute:zone == a");
    assert_eq!(
        measured(Lack::Constraint, &scope, &homes),
        std::slice::from_ref(&constraint)
    );
    let mut shut = instance("i-2");
    shut.status = "DRAINING".into();
    let told = "1 of 2 instances not open for tasks (draining, or its agent does not answer)";
    assert_eq!(
        measured(Lack::Constraint, &scope, &[instance("i-1"), shut]),
        [constraint, row("instances", told)]
    );
}

#[test]
fn the_first_line_says_what_is_lacking_and_for_which_service() {
    let homes = [instance("i-1")];
    let summary = |lack, homes: &[ContainerInstance]| told(lack, &Scope::plain(), homes).summary;
    assert_eq!(
        summary(Lack::Cpu, &homes),
        "no instance can take a new task of `web`: too little CPU is free"
    );
    assert_eq!(
        summary(Lack::Instances, &homes),
        "cluster `c` offers no container instance for a new task of `web`"
    );
    assert_eq!(
        summary(Lack::Quota, &homes),
        "a quota of the account leaves no room for a new task of `web`"
    );
    assert_eq!(
        summary(Lack::Aws, &homes),
        "AWS gives no capacity for a new task of `web`"
    );
    assert_eq!(summary(Lack::Other, &homes), "no instance can take a new task of `web`");
    let none = "cluster `c` has no container instance for a new task of `web`";
    assert_eq!(summary(Lack::Cpu, &[]), none);
    let port = told(Lack::Port, &Scope::plain(), &homes);
    assert_eq!(
        (port.code, port.summary.as_str()),
        (
            Code::PortInUse,
            "no instance can take a new task of `web`: its fixed host port is in use"
        )
    );
}

#[test]
fn the_instance_with_the_most_room_is_held_against_what_a_task_needs() {
    let mut scope = Scope::plain();
    (scope.needs.cpu, scope.needs.memory) = (1024, 2048);
    scope.needs.fixed_ports = vec![fixed(22), fixed(80)];
    let mut full = instance("i-2");
    (full.remaining.cpu, full.remaining.memory) = (128, 64);
    full.remaining.reserved_ports = vec![80];
    let row = |label: &str, text: &str| [(EvidenceLabel::from(label), text.to_owned())];
    let homes = [full.clone(), instance("i-1")];
    let measured = |lack, homes: &[ContainerInstance]| told(lack, &scope, homes).evidence[1..].to_vec();
    assert_eq!(
        measured(Lack::Cpu, &homes),
        row("cpu", "a task needs 1024 units, most free 512 on i-1")
    );
    assert_eq!(
        measured(Lack::Memory, &homes),
        row("memory", "a task needs 2048 MiB, most free 512 MiB on i-1")
    );
    assert_eq!(
        measured(Lack::Port, &homes),
        row("port", "host port 80 is taken on 1 of 2 instances, for example i-2")
    );
    assert_eq!(
        measured(Lack::Port, &[full]),
        row("port", "host port 80 is taken on the only instance, i-2")
    );
    assert_eq!(measured(Lack::Port, &[instance("i-1")]), []);
    // The closest one has the name that EC2 gives it, where it is still there.
    let mut closest = instance("i-1");
    closest.ec2_instance_id = Some("i-0abc".into());
    assert_eq!(
        measured(Lack::Agent, &[instance("i-3"), closest]),
        row("closest", "i-0abc")
    );
    assert_eq!(measured(Lack::Agent, &[instance("i-3")]), row("closest", "i-1"));
}

#[test]
fn a_port_of_its_own_is_advised_where_the_load_balancer_can_follow() {
    let mut scope = Scope::plain();
    let hint = |scope: &Scope| told(Lack::Port, scope, &[instance("i-1")]).hints.remove(0).text;
    assert!(hint(&scope).starts_with("let ECS pick the port: hostPort 0"));
    scope.bindings = vec![crate::aws_model::service::LoadBalancerBinding {
        balancer: Balancer::Classic("old".into()),
        ..crate::aws_model::service::LoadBalancerBinding::plain()
    }];
    assert!(hint(&scope).starts_with("add an instance, or let ECS stop an old task first"));
}

#[test]
fn what_may_pass_and_what_the_books_show_are_two_questions() {
    use Lack::*;
    let all = [
        Port, Cpu, Memory, Gpu, Interface, Attribute, Constraint, Agent, Instances, Quota, Aws, Limits, Other,
    ];
    let passing: Vec<Lack> = all.into_iter().filter(|lack| lack.may_pass()).collect();
    assert_eq!(passing, [Agent, Instances, Quota, Aws]);
    let shown: Vec<Lack> = all.into_iter().filter(|lack| lack.is_in_the_books()).collect();
    assert_eq!(shown, [Port, Cpu, Memory, Other]);
}
