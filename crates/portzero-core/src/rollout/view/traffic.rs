//! Whether the production traffic goes where somebody answers: the rules of the listeners and their weights, held
//! against the target groups that serve.

use std::collections::BTreeSet;

use crate::aws_model::service::Service;
use crate::aws_model::target::{Routing, Rule, TargetHealth, TargetState};
use crate::base::id::TargetGroupArn;
use crate::rollout::view::View;
use crate::rollout::view::snapshot::Snapshot;

/// Traffic that does not go where it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stray {
    /// No production rule gives the target group any weight. `rules`: those that could.
    Unfed { group: TargetGroupArn, rules: Vec<Rule> },
    /// A rule gives a weight to a target group in which nothing is healthy.
    Void { group: TargetGroupArn, rule: Rule },
    /// The rule that ECS shifts for the service is not there any more.
    RuleGone { rule: String },
}

/// Everything that strays; empty: all is well. `None`: not every listener was read, and the way may be in one of those.
///
/// `serving`: the target groups in which the tasks are that should get the traffic. `answers`: whether anything is
/// healthy in one of the service's own groups.
pub(crate) fn strays(
    routing: &Routing,
    service: &Service,
    serving: &BTreeSet<TargetGroupArn>,
    answers: impl Fn(&TargetGroupArn) -> bool,
) -> Option<Vec<Stray>> {
    let own = service.target_groups();
    let is_any = |rule: &Rule, arns: &[String]| arns.iter().any(|arn| rule.is(arn));
    let is_production = |rule: &Rule| is_any(rule, &service.rules.production);
    let reached = routing.reached();
    let is_open = |rule: &Rule| reached.contains(&rule) && !is_any(rule, &service.rules.test);
    let mut found: Vec<Stray> = Vec::new();
    for group in serving.iter().filter(|group| group.classic_name().is_none()) {
        let is_shifted = !service.rules.production.is_empty() && service.has_alternate(group);
        let is_candidate = |rule: &&Rule| if is_shifted { is_production(rule) } else { is_open(rule) };
        let candidates: Vec<&Rule> = routing.rules.iter().filter(is_candidate).collect();
        if candidates.iter().any(|rule| rule.weight_of(group) > 0) {
            continue;
        }
        if routing.is_partial {
            return None;
        }
        let could = candidates
            .into_iter()
            .filter(|rule| own.iter().any(|own| rule.names(own)));
        found.push(Stray::Unfed {
            group: group.clone(),
            rules: could.cloned().collect(),
        });
    }
    let is_there = |arn: &&String| routing.is_partial || routing.rules.iter().any(|rule| rule.is(arn));
    let gone = service.rules.production.iter().filter(|arn| !is_there(arn));
    found.extend(gone.map(|rule| Stray::RuleGone { rule: rule.clone() }));
    let concerns = |rule: &&Rule| is_production(rule) || (is_open(rule) && own.iter().any(|group| rule.names(group)));
    for rule in routing.rules.iter().filter(concerns) {
        let is_answered = |group: &TargetGroupArn| match own.contains(group) {
            true => answers(group),
            // Whose health was not read is nobody's fault.
            false => routing.answers.get(group).copied().unwrap_or(true),
        };
        found.extend(rule.fed().filter(|group| !is_answered(group)).map(|group| Stray::Void {
            group: group.clone(),
            rule: rule.clone(),
        }));
    }
    Some(found)
}

/// The same, of a rollout that has nothing else to wait for.
pub(crate) fn strays_of(view: &View, snapshot: &Snapshot) -> Option<Vec<Stray>> {
    let (routing, service) = (snapshot.routing.as_ref()?, snapshot.service.as_ref()?);
    let serving: BTreeSet<TargetGroupArn> = view.new_targets.keys().map(|(group, _)| group.clone()).collect();
    strays(routing, service, &serving, |group| {
        let rows = snapshot.targets.get(group).into_iter().flatten();
        rows.into_iter().any(answers)
    })
}

/// Whether a target takes requests, as far as its load balancer knows: where nobody checks, all of them do.
pub fn answers(row: &TargetHealth) -> bool {
    matches!(row.state, TargetState::Healthy | TargetState::Unavailable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws_model::service::{Balancer, ListenerRules, LoadBalancerBinding};
    use crate::aws_model::target::{Route, RouteCondition};

    fn rule(arn: &str, priority: Option<u32>, path: &str, groups: &[(&str, u32)]) -> Rule {
        Rule {
            arn: Some(arn.into()),
            listener: "listener".into(),
            priority,
            route: Route {
                conditions: priority
                    .map(|_| RouteCondition {
                        field: "path-pattern".into(),
                        values: vec![path.into()],
                    })
                    .into_iter()
                    .collect(),
                ..Route::default()
            },
            groups: groups.iter().map(|(arn, weight)| ((*arn).into(), *weight)).collect(),
        }
    }

    fn service(alternate: Option<&str>, production: &[&str], test: &[&str]) -> Service {
        let all = |arns: &[&str]| arns.iter().map(|arn| (*arn).to_owned()).collect();
        Service {
            load_balancers: vec![LoadBalancerBinding {
                balancer: Balancer::TargetGroup("web".into()),
                container_name: "web".into(),
                container_port: 80,
                alternate: alternate.map(Into::into),
            }],
            rules: ListenerRules {
                production: all(production),
                test: all(test),
            },
            ..Service::plain()
        }
    }

    /// How traffic strays from `serving`, the only group in which anything is healthy.
    fn told(service: &Service, serving: &str, rules: &[Rule]) -> Vec<&'static str> {
        let routing = Routing {
            rules: rules.to_vec(),
            answers: [("empty".into(), false), ("other".into(), true)].into(),
            ..Routing::default()
        };
        let is_serving = |group: &TargetGroupArn| group.as_str() == serving;
        let found = strays(&routing, service, &[serving.into()].into(), is_serving).expect("all was read");
        let kind = |stray: &Stray| match stray {
            Stray::Unfed { .. } => "unfed",
            Stray::Void { .. } => "void",
            Stray::RuleGone { .. } => "gone",
        };
        found.iter().map(kind).collect()
    }

    #[test]
    fn a_rolling_service_needs_a_weight_in_some_rule_that_is_reached() {
        let web = service(None, &[], &[]);
        let default = |groups: &[(&str, u32)]| rule("default", None, "", groups);
        assert_eq!(told(&web, "web", &[default(&[("web", 1)])]), [""; 0]);
        assert_eq!(told(&web, "web", &[default(&[("web", 0)])]), ["unfed"]);
        assert_eq!(
            told(&web, "web", &[default(&[("web", 0), ("empty", 1)])]),
            ["unfed", "void"]
        );
        assert_eq!(told(&web, "web", &[default(&[("web", 9), ("empty", 1)])]), ["void"]);
        assert_eq!(told(&web, "web", &[default(&[("web", 9), ("other", 1)])]), [""; 0]);
        assert_eq!(told(&web, "web", &[]), ["unfed"]);
        let all = rule("all", Some(1), "/*", &[("other", 1)]);
        assert_eq!(
            told(&web, "web", &[all, default(&[("web", 1)])]),
            ["unfed"],
            "it is never reached"
        );
        let api = rule("api", Some(1), "/api/*", &[("web", 1)]);
        assert_eq!(told(&web, "web", &[api, default(&[("other", 1)])]), [""; 0]);
    }

    #[test]
    fn traffic_that_ecs_shifts_is_that_of_the_production_rule() {
        let both = service(Some("green"), &["production"], &["test"]);
        let production = |web, green| rule("production", Some(2), "/*", &[("web", web), ("green", green)]);
        let test = rule("test", Some(1), "/test/*", &[("web", 100), ("green", 0)]);
        let default = rule("default", None, "", &[("web", 1)]);
        let rules = |web, green| [production(web, green), test.clone(), default.clone()];
        assert_eq!(told(&both, "green", &rules(0, 100)), [""; 0]);
        assert_eq!(told(&both, "green", &rules(100, 0)), ["unfed", "void"]);
        assert_eq!(told(&both, "green", &rules(50, 50)), ["void"]);
        assert_eq!(
            told(&both, "green", &[test.clone(), default.clone()]),
            ["unfed", "gone", "void"]
        );
        // A second listener that ECS does not shift still sends its requests to the group that is empty now.
        let second = Rule {
            listener: "second".into(),
            ..default
        };
        assert_eq!(told(&both, "green", &[production(0, 100), test, second]), ["void"]);
    }

    #[test]
    fn what_was_not_read_is_not_missed() {
        let routing = Routing {
            is_partial: true,
            ..Routing::default()
        };
        let serving = [TargetGroupArn::from("web")].into();
        assert_eq!(strays(&routing, &service(None, &[], &[]), &serving, |_| true), None);
    }
}
