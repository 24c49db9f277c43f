//! Traffic that does not go to the new targets, in words.

use crate::aws_model::service::Service;
use crate::aws_model::target::Rule;
use crate::base::finding::{Code, Finding, Severity};
use crate::base::text::shell;
use crate::rollout::scope::Scope;
use crate::rollout::view::traffic::Stray;
use crate::rollout::words::last_look::LastLook;

/// The rollout is there, and the requests are not.
pub(crate) fn elsewhere(scope: &Scope, strays: &[Stray], look: &LastLook) -> Finding {
    let targets = format!("the new targets of `{}`", scope.service);
    told(Severity::Error, &targets, strays)
        .evidence("new", format!("{} {}", scope.task_definition.short(), look.progress()))
        .state(format!(
            "{}; nothing was changed in the load balancer",
            look.serving_line()
        ))
}

/// The same before anything was changed.
pub(crate) fn planned(severity: Severity, service: &Service, strays: &[Stray]) -> Finding {
    let finding = told(severity, &format!("the running targets of `{}`", service.name), strays);
    match severity {
        Severity::Error => finding.state("nothing was changed"),
        Severity::Note | Severity::Warning => finding,
    }
}

fn told(severity: Severity, targets: &str, strays: &[Stray]) -> Finding {
    let is_all = strays.iter().any(|stray| !matches!(stray, Stray::Void { .. }));
    let summary = if is_all {
        format!("the production traffic does not go to {targets}")
    } else {
        format!("a part of the production traffic does not go to {targets}")
    };
    let mut finding = Finding::new(Code::TrafficElsewhere, severity, summary);
    for stray in strays {
        finding = evidence(finding, stray);
    }
    match strays.iter().find_map(hint) {
        Some(hint) => finding.hint(hint),
        None => finding,
    }
}

fn evidence(mut finding: Finding, stray: &Stray) -> Finding {
    match stray {
        Stray::Unfed { group, rules } => {
            finding = finding.evidence("no traffic", format!("target group {group}"));
            for rule in rules {
                finding = weights(finding, rule);
            }
            finding
        }
        Stray::Void { group, rule } => {
            let empty = format!("target group {group}: no target in it is healthy");
            weights(finding, rule).evidence("traffic to", empty)
        }
        Stray::RuleGone { rule } => finding.evidence("gone", format!("the production rule {rule}")),
    }
}

/// Each rule once.
fn weights(finding: Finding, rule: &Rule) -> Finding {
    let line = format!("{}: weights {}", rule.name(), rule.weights());
    if finding.evidence.iter().any(|(_, text)| *text == line) {
        return finding;
    }
    finding.evidence("rule", line)
}

fn hint(stray: &Stray) -> Option<String> {
    match stray {
        Stray::Unfed { group, rules } => Some(match rules.first() {
            Some(rule) => format!("put the weight on target group `{}`: {}", group.name(), change(rule)),
            None => format!("let a rule of the listener forward to target group `{}`", group.name()),
        }),
        Stray::Void { group, rule } => Some(format!(
            "take the weight from target group `{}`: {}",
            group.name(),
            change(rule)
        )),
        Stray::RuleGone { rule } => Some(format!(
            "create the production rule anew, and name it in the service in place of {rule}"
        )),
    }
}

/// The default action is changed with its listener.
fn change(rule: &Rule) -> String {
    if rule.priority.is_some() {
        format!("`aws elbv2 modify-rule --rule-arn {}`", shell(rule.name()))
    } else {
        format!("`aws elbv2 modify-listener --listener-arn {}`", shell(&rule.listener))
    }
}

/// The success stands without it.
pub(crate) fn not_checked(scope: &Scope) -> Finding {
    Finding::warning(
        Code::NotChecked,
        format!(
            "not checked: whether the production traffic of `{}` goes to the new targets",
            scope.service
        ),
    )
    .hint(
        "allow elasticloadbalancing:DescribeLoadBalancers, DescribeListeners and DescribeRules to the role of this run",
    )
}
