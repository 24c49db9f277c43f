//! The routes below `/_portzero/`, for people and tests: the truth about the world, its faults, its time.
//!
//! They change what no AWS client could, so they answer nobody but programs of this machine: the server binds to the
//! loopback interface, the name that the client used for it must be a loopback name (a page whose name was rebound to
//! 127.0.0.1 uses its own), and what a browser sends on behalf of another origin is refused.

use std::time::Duration;

use serde_json::{Value, json};

use super::{HttpRequest, HttpResponse, TimeSource, Wire, served};
use crate::scenario::fault::FaultSpec;
use crate::timestamp::Timestamp;
use crate::world::World;

const PREFIX: &str = "/_portzero";

/// A world in which nothing happens costs little to move, and one with many services costs seconds of real time a day.
const ADVANCE_MAX: Duration = Duration::from_secs(7 * 86_400);
pub(super) const SPEED_MAX: f64 = 100_000.0;

/// Each route with what it does: what `GET /_portzero/` answers.
pub(super) const ROUTES: &[(&str, &str, &str)] = &[
    ("GET", "/_portzero/", "these routes"),
    (
        "GET",
        "/_portzero/truth",
        "the world as it is, whatever the faults show to AWS clients",
    ),
    (
        "GET",
        "/_portzero/faults",
        "the faults, with what their timetables say and how often they have struck",
    ),
    (
        "POST",
        "/_portzero/faults",
        "switches a fault on: an object as in a scenario file, counted from now",
    ),
    (
        "DELETE",
        "/_portzero/faults/N",
        "switches the fault with that number off",
    ),
    ("GET", "/_portzero/speed", "virtual seconds in a real one"),
    ("POST", "/_portzero/speed", "sets it: {\"speed\": \"10x\"}"),
    (
        "POST",
        "/_portzero/advance",
        "lets virtual time pass at once: {\"by\": \"5m\"}",
    ),
    (
        "GET",
        "/_portzero/operations",
        "the operations that are served, and how often each was asked for",
    ),
];

pub(super) fn is_meant(request: &HttpRequest) -> bool {
    path(request)
        .strip_prefix(PREFIX)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Without the query, and without the address where a client sends it along.
fn path(request: &HttpRequest) -> &str {
    let path = request.path.split('?').next().unwrap_or_default();
    match path.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]),
        None => path,
    }
}

/// A refusal: the status, and why.
type ControlError = (u16, String);

pub(super) fn handle(
    wire: &Wire,
    world: &mut World,
    time_source: &dyn TimeSource,
    request: &HttpRequest,
) -> HttpResponse {
    let (status, body) = match check_origin(request).and_then(|()| route(wire, world, time_source, request)) {
        Ok(answer) => answer,
        Err((status, why)) => (status, json!({"error": why})),
    };
    answer(status, &body)
}

/// The refusal of a request that a page in a browser may have sent, or one under a rebound name. It holds for the calls
/// of AWS as for the control routes.
pub(super) fn refuse_strangers(request: &HttpRequest) -> Option<HttpResponse> {
    let (status, why) = check_origin(request).err()?;
    // The names by which AWS's clients and the control routes' read why.
    let body = json!({"__type": "AccessDeniedException", "message": why, "error": why});
    Some(answer(status, &body))
}

fn answer(status: u16, body: &Value) -> HttpResponse {
    HttpResponse {
        status,
        content_type: "application/json",
        // A browser shall neither guess another type nor keep what was true a moment ago.
        headers: vec![
            ("x-content-type-options", "nosniff".into()),
            ("cache-control", "no-store".into()),
        ],
        body: format!("{body:#}\n").into_bytes(),
        note: None,
    }
}

fn route(
    wire: &Wire,
    world: &mut World,
    time_source: &dyn TimeSource,
    request: &HttpRequest,
) -> Result<(u16, Value), ControlError> {
    let path = path(request).strip_prefix(PREFIX).unwrap_or_default().trim_matches('/');
    let ok = |body| Ok((200, body));
    match (request.method.as_str(), path) {
        ("GET", "") => ok(routes()),
        ("GET", "truth") => ok(truth(world, time_source)),
        ("GET", "faults") => ok(faults(wire, world)),
        ("POST", "faults") => switch_on(wire, world, request),
        ("DELETE", path) if path.starts_with("faults/") => switch_off(wire, world, &path["faults/".len()..]),
        ("GET", "speed") => ok(json!({"speed": time_source.speed()})),
        ("POST", "speed") => set_speed(world, time_source, request),
        ("POST", "advance") => advance(world, time_source, request),
        ("GET", "operations") => ok(operations(wire)),
        (method, "" | "truth" | "faults" | "speed" | "advance" | "operations") => Err((
            405,
            format!("{method} is not served here; GET {PREFIX}/ lists the routes"),
        )),
        _ => Err((
            404,
            format!("there is no {}; GET {PREFIX}/ lists the routes", request.path),
        )),
    }
}

/// Refuses requests that a browser may send for a page of another origin.
fn check_origin(request: &HttpRequest) -> Result<(), ControlError> {
    let refused = |why: String| Err((403, why));
    let host = request.header("host").unwrap_or_default();
    if !is_loopback(host) {
        return refused(format!(
            "the host `{host}` is no loopback name: ask 127.0.0.1 or localhost"
        ));
    }
    if let Some(origin) = request.header("origin")
        && origin.split_once("://").is_none_or(|(_, own)| own != host)
    {
        return refused(format!("requests from pages of `{origin}` are refused"));
    }
    let site = request.header("sec-fetch-site").unwrap_or("none");
    if !matches!(site, "none" | "same-origin") {
        return refused(format!("a browser's {site} requests are refused"));
    }
    Ok(())
}

/// `127.0.0.1`, `localhost` or `[::1]`, with or without a port.
fn is_loopback(host: &str) -> bool {
    let is_port = |port: &str| port.is_empty() || port.strip_prefix(':').is_some_and(|p| p.parse::<u16>().is_ok());
    ["127.0.0.1", "localhost", "[::1]"]
        .iter()
        .any(|name| host.strip_prefix(name).is_some_and(is_port))
}

fn document(request: &HttpRequest) -> Result<Value, ControlError> {
    let not_json = |why| (400, format!("the body is not JSON: {why}"));
    serde_json::from_slice(&request.body).map_err(not_json)
}

fn routes() -> Value {
    let all = ROUTES.iter();
    json!({"routes": all.map(|(method, path, what)| json!({"route": format!("{method} {path}"), "what": what})).collect::<Vec<_>>()})
}

fn switch_on(wire: &Wire, world: &mut World, request: &HttpRequest) -> Result<(u16, Value), ControlError> {
    let document = document(request)?;
    let bad = |why: String| (400, why);
    let fault = FaultSpec::from_document(&document).map_err(|slip| bad(slip.to_string()))?;
    if let [first, ..] = fault.ignored_keys.as_slice() {
        let name = fault.fault.name();
        return Err(bad(format!("the fault `{name}` does not read `{first}`")));
    }
    let number = world.switch_on(fault);
    Ok((201, one_fault(wire, world, number)))
}

fn switch_off(wire: &Wire, world: &mut World, number: &str) -> Result<(u16, Value), ControlError> {
    let number: usize = number
        .parse()
        .map_err(|_| (400, format!("`{number}` is no number of a fault")))?;
    if !world.switch_off(number) {
        return Err((404, format!("no fault {number} is on; GET {PREFIX}/faults lists them")));
    }
    Ok((200, one_fault(wire, world, number)))
}

fn faults(wire: &Wire, world: &World) -> Value {
    let all: Vec<Value> = (0..world.faults.len())
        .map(|number| one_fault(wire, world, number))
        .collect();
    json!({"now": world.now().to_string(), "faults": all})
}

fn one_fault(wire: &Wire, world: &World, number: usize) -> Value {
    let fault = &world.faults[number];
    let updates = world
        .scheduler_states
        .iter()
        .filter(|((_, service), _)| fault.concerns(service));
    let base = world.base_of(
        fault,
        updates
            .filter_map(|(_, scheduler)| scheduler.deployments.first_update)
            .min(),
    );
    let begins = base.map(|base| base + fault.begins());
    let ends = base.and_then(|base| Some(base + fault.ends()?));
    let now = world.now();
    let state = match begins {
        _ if fault.switched_off => "switched off",
        None => "waits for an UpdateService",
        Some(at) if now < at => "ahead",
        Some(_) if ends.is_some_and(|end| now >= end) => "over",
        Some(_) => "in force",
    };
    let text = |at: Option<Timestamp>| at.map(|at| at.to_string());
    json!({
        "number": number,
        "fault": fault.fault.name(),
        "state": state,
        "from": text(begins),
        "until": text(ends),
        "service": fault.scope.service,
        "action": fault.calls.action,
        "struck": fault.is_on_the_wire().then(|| wire.misbehaviour.struck(number)),
    })
}

fn set_speed(
    world: &mut World,
    time_source: &dyn TimeSource,
    request: &HttpRequest,
) -> Result<(u16, Value), ControlError> {
    let document = document(request)?;
    let wanted = &document["speed"];
    let factor = wanted
        .as_f64()
        .or_else(|| wanted.as_str()?.strip_suffix('x')?.parse().ok());
    let Some(factor) = factor.filter(|f| *f > 0.0 && *f <= SPEED_MAX) else {
        return Err((
            400,
            format!("`speed` is a factor above 0 and up to {SPEED_MAX}, such as \"10x\""),
        ));
    };
    if !time_source.set_speed(world, factor) {
        return Err((
            409,
            "the time of this world is moved by the program that it is rehearsed with".into(),
        ));
    }
    Ok((200, json!({"speed": factor})))
}

fn advance(
    world: &mut World,
    time_source: &dyn TimeSource,
    request: &HttpRequest,
) -> Result<(u16, Value), ControlError> {
    let document = document(request)?;
    let span = document["by"]
        .as_str()
        .and_then(|text| humantime::parse_duration(text).ok());
    let Some(span) = span.filter(|span| *span <= ADVANCE_MAX) else {
        return Err((400, "`by` is a span of up to 7d with a unit, such as \"5m\"".into()));
    };
    let to = world.now() + span;
    world.advance(to);
    time_source.rebase(world);
    Ok((200, json!({"now": world.now().to_string()})))
}

fn operations(wire: &Wire) -> Value {
    let names = served().into_iter().map(|(service, name)| format!("{service}:{name}"));
    let mut counts: serde_json::Map<String, Value> = names.map(|name| (name, json!(0))).collect();
    counts.extend(wire.asked.iter().map(|(name, count)| (name.clone(), json!(count))));
    json!({"operations": counts})
}

fn truth(world: &World, time_source: &dyn TimeSource) -> Value {
    let clusters = world.account().clusters.values();
    let services: Vec<Value> = clusters
        .clone()
        .flat_map(|cluster| {
            cluster
                .services
                .values()
                .map(move |service| one_service(world, &cluster.name, service))
        })
        .collect();
    let tasks: Vec<Value> = clusters
        .clone()
        .flat_map(|cluster| cluster.tasks.values())
        .map(|task| {
            json!({
                "id": task.id, "service": task.service, "deployment": task.started_by, "task_definition": task.task_definition,
                "last_status": task.last_status, "desired_status": task.desired_status, "instance": task.instance,
                "address": task.private_ip.as_ref().or(task.ipv6.as_ref()), "health": task.health_status, "stopped_reason": task.stopped_reason,
            })
        })
        .collect();
    let instances: Vec<Value> = clusters
        .flat_map(|cluster| cluster.instances.values().map(move |instance| {
            let (cpu, memory, ports) = world.booked(&cluster.name, &instance.id);
            json!({
                "id": instance.id, "ec2": instance.ec2_instance_id, "cluster": cluster.name, "status": instance.status,
                "zone": instance.availability_zone, "cpu": instance.cpu, "cpu_booked": cpu, "memory": instance.memory,
                "memory_booked": memory, "fixed_ports": ports, "held_ports": world.held_ports(&cluster.name, &instance.id),
            })
        }))
        .collect();
    json!({
        "now": world.now().to_string(),
        "start": world.start.to_string(),
        "seed": world.seed,
        "speed": time_source.speed(),
        "events_pending": world.events_pending(),
        "services": services,
        "tasks": tasks,
        "instances": instances,
        "target_groups": target_groups(world),
    })
}

fn one_service(world: &World, cluster: &str, service: &crate::model::state::Service) -> Value {
    let deployments: Vec<Value> = service
        .deployments
        .iter()
        .map(|deployment| {
            let truth = world.ground_truth(cluster, &service.name, &deployment.id);
            json!({
                "id": deployment.id, "status": deployment.status, "task_definition": deployment.task_definition,
                "rollout_state": deployment.rollout_state, "failed_tasks": deployment.failed_tasks, "done": truth.is_done(),
                "new_running": truth.new_running, "new_targets_healthy": truth.new_targets_healthy,
                "old_targets_left": truth.old_targets_left, "old_tasks_left": truth.old_tasks_left,
                "rolled_back": truth.rolled_back, "superseded": truth.superseded,
            })
        })
        .collect();
    json!({
        "cluster": cluster, "service": service.name, "status": service.status, "desired": service.desired_count,
        "task_definition": service.task_definition, "deployments": deployments,
    })
}

fn target_groups(world: &World) -> Vec<Value> {
    let groups = world.account().target_groups.values();
    groups
        .map(|group| {
            let targets = group.targets.iter().map(|target| {
                json!({
                    "id": target.id, "port": target.port, "state": target.state, "reason": target.reason, "task": target.task,
                    "registered_at": target.registered_at.to_string(), "drained_at": target.drained_at.map(|at| at.to_string()),
                })
            });
            json!({"name": group.name, "arn": group.arn, "targets": targets.collect::<Vec<_>>()})
        })
        .collect()
}
