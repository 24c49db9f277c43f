//! Elastic Load Balancing, version 2, over the Query protocol.

mod load_balancers;
mod target_groups;

use super::form::{Form, unknown_operation, validation};
use super::page::cut;
use super::xml::{self, Content, Xml};
use super::{HttpResponse, Reply};
use crate::sim::state::Refusal;
use crate::sim::world::World;

pub const VERSION: &str = "2015-12-01";
/// Classic load balancing shares the endpoint.
pub const CLASSIC_VERSION: &str = "2012-06-01";

pub fn handle(world: &World, form: &Form, request_id: &str) -> HttpResponse {
    let Some(serve) = operation_named(form.action()) else {
        return xml::refuse(form, &unknown_operation(form), request_id)
            .with_note(format!("not served: elasticloadbalancing:{}", form.action()));
    };
    xml::respond(form, serve(world, form), request_id)
}

/// Whether there is an operation of that name.
pub fn serves(name: &str) -> bool {
    operation_named(name).is_some()
}

type Operation = for<'a> fn(&'a World, &'a Form) -> Reply<Content<'a>>;

fn operation_named(name: &str) -> Option<Operation> {
    Some(match name {
        "DescribeTargetGroups" => target_groups::describe,
        "DescribeTargetGroupAttributes" => target_groups::describe_attributes,
        "DescribeTargetHealth" => target_groups::describe_health,
        "DescribeLoadBalancers" => load_balancers::describe,
        "DescribeListeners" => load_balancers::describe_listeners,
        "DescribeRules" => load_balancers::describe_rules,
        "DescribeTags" => load_balancers::describe_tags,
        _ => return None,
    })
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
