//! Elastic Load Balancing, version 2, over the Query protocol.

mod actions;
mod attributes;
mod conditions;
mod listeners;
mod load_balancers;
mod rules;
mod tags;
mod target_groups;
mod targets;

use super::form::{Form, unknown_operation, validation};
use super::xml;
use super::xml::{Content, Xml};
use crate::model::refusal::Refusal;
use crate::model::state::{LoadBalancer, TargetGroup};
use crate::wire::page::cut;
use crate::wire::{HttpResponse, Output, Reply};
use crate::world::World;

pub(crate) fn handle(world: &mut World, form: &Form, request_id: &str) -> HttpResponse {
    match operation_named(form.action()) {
        Some(Operation::Read(serve)) => xml::respond(form, serve(world, form), request_id),
        Some(Operation::Change(serve)) => xml::respond(form, serve(world, form), request_id),
        None => xml::refuse(form, &unknown_operation(form), request_id)
            .with_note(format!("not served: elasticloadbalancing:{}", form.action())),
    }
}

/// Whether there is an operation of that name.
pub(crate) fn serves(name: &str) -> bool {
    operation_named(name).is_some()
}

enum Operation {
    Read(for<'a> fn(&'a World, &'a Form) -> Reply<Content<'a>>),
    Change(for<'a> fn(&'a mut World, &'a Form) -> Reply<Content<'a>>),
}

fn operation_named(name: &str) -> Option<Operation> {
    use Operation::{Change, Read};
    Some(match name {
        "CreateTargetGroup" => Change(target_groups::create),
        "ModifyTargetGroup" => Change(target_groups::modify),
        "DeleteTargetGroup" => Change(target_groups::delete),
        "DescribeTargetGroups" => Read(target_groups::describe),
        "DescribeTargetGroupAttributes" => Read(attributes::describe_group),
        "ModifyTargetGroupAttributes" => Change(attributes::modify_group),
        "RegisterTargets" => Change(targets::register),
        "DeregisterTargets" => Change(targets::deregister),
        "DescribeTargetHealth" => Read(targets::describe_health),
        "CreateLoadBalancer" => Change(load_balancers::create),
        "DeleteLoadBalancer" => Change(load_balancers::delete),
        "DescribeLoadBalancers" => Read(load_balancers::describe),
        "DescribeLoadBalancerAttributes" => Read(attributes::describe_balancer),
        "ModifyLoadBalancerAttributes" => Change(attributes::modify_balancer),
        "CreateListener" => Change(listeners::create),
        "ModifyListener" => Change(listeners::modify),
        "DeleteListener" => Change(listeners::delete),
        "DescribeListeners" => Read(listeners::describe),
        "CreateRule" => Change(rules::create),
        "ModifyRule" => Change(rules::modify),
        "SetRulePriorities" => Change(rules::set_priorities),
        "DeleteRule" => Change(rules::delete),
        "DescribeRules" => Read(rules::describe),
        "AddTags" => Change(tags::add),
        "RemoveTags" => Change(tags::remove),
        "DescribeTags" => Read(tags::describe),
        _ => return None,
    })
}

/// The answer of an operation that has nothing to say.
fn done<'a>() -> Reply<Content<'a>> {
    let content: Content<'a> = Box::new(|_| {});
    Ok(Output::from(content))
}

fn content<'a>(write: impl FnOnce(&mut Xml) + 'a) -> Reply<Content<'a>> {
    let content: Content<'a> = Box::new(write);
    Ok(Output::from(content))
}

fn not_found(what: &str) -> Refusal {
    let (code, words) = match what {
        "target group" => ("TargetGroupNotFound", "target groups"),
        "load balancer" => ("LoadBalancerNotFound", "load balancers"),
        "listener" => ("ListenerNotFound", "listeners"),
        _ => ("RuleNotFound", "rules"),
    };
    Refusal::new(code, format!("One or more {words} not found"))
}

/// Refuses what is no ARN of the kind (`targetgroup`, `loadbalancer`, …), before anybody looks whether it exists.
fn checked<'a>(arn: &'a str, kind: &str, what: &str) -> Result<&'a str, Refusal> {
    let is_one = arn.starts_with("arn:aws:elasticloadbalancing:")
        && arn
            .split(':')
            .nth(5)
            .is_some_and(|resource| resource.strip_prefix(kind).is_some_and(|rest| rest.starts_with('/')));
    is_one
        .then_some(arn)
        .ok_or_else(|| validation(format!("'{arn}' is not a valid {what} ARN")))
}

/// The target group that a request is about.
fn group_asked_for<'a>(world: &'a World, form: &Form) -> Result<&'a TargetGroup, Refusal> {
    group(world, form.required("TargetGroupArn")?)
}

fn group<'a>(world: &'a World, arn: &str) -> Result<&'a TargetGroup, Refusal> {
    let arn = checked(arn, "targetgroup", "target group")?;
    let groups = &world.account().target_groups;
    groups.get(arn).ok_or_else(|| not_found("target group"))
}

fn balancer<'a>(world: &'a World, arn: &str) -> Result<&'a LoadBalancer, Refusal> {
    let arn = checked(arn, "loadbalancer", "load balancer")?;
    let balancers = &world.account().load_balancers;
    balancers.get(arn).ok_or_else(|| not_found("load balancer"))
}

/// The ARN that a request is about, of the kind that it has to be.
fn arn_asked_for<'a>(form: &'a Form, name: &str, kind: &str, what: &str) -> Result<&'a str, Refusal> {
    checked(form.required(name)?, kind, what)
}

/// A page of ARNs, as `PageSize` and `Marker` ask for it; 400 is ELBv2's largest and its default.
struct Page {
    arns: Vec<String>,
    next: Option<String>,
}

impl Page {
    fn of(form: &Form, all: Vec<String>) -> Result<Self, Refusal> {
        let size = match form.text("PageSize") {
            None => 400,
            Some(text) => text
                .parse()
                .ok()
                .filter(|size| (1..=400).contains(size))
                .ok_or_else(|| validation("Page size must be a number between 1 and 400"))?,
        };
        let marker = form.text("Marker").filter(|marker| !marker.is_empty());
        let page = cut(all, size, marker).ok_or_else(|| validation("Invalid marker"))?;
        Ok(Self {
            arns: page.items,
            next: page.next,
        })
    }

    fn holds(&self, arn: &str) -> bool {
        self.arns.iter().any(|held| held == arn)
    }

    fn write_marker(&self, xml: &mut Xml) {
        if let Some(next) = &self.next {
            xml.text("NextMarker", next);
        }
    }
}
