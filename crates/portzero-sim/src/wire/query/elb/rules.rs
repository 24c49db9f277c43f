//! CreateRule, ModifyRule, SetRulePriorities, DeleteRule, DescribeRules.

use super::actions::{actions_in, write_actions};
use super::conditions::{conditions_in, write_conditions};
use super::listeners::listener;
use super::tags::tags_in;
use super::{Page, arn_asked_for, checked, content, done, not_found};
use crate::model::load_balancer::{Action, Condition};
use crate::model::refusal::Refusal;
use crate::model::state::Listener;
use crate::wire::Reply;
use crate::wire::query::form::{Form, validation};
use crate::wire::query::xml::{Content, Xml};
use crate::world::World;

pub(super) fn create<'a>(world: &'a mut World, form: &'a Form) -> Reply<Content<'a>> {
    let owner = arn_asked_for(form, "ListenerArn", "listener", "listener")?;
    form.required("Priority")?;
    let priority = form.number("Priority")?.unwrap_or_default();
    let conditions = conditions_in(&form.structures("Conditions"));
    let actions = actions_in(&form.structures("Actions"))?;
    let arn = world.create_rule(owner, priority, conditions, actions, &tags_in(form))?;
    show(world, vec![arn])
}

pub(super) fn modify<'a>(world: &'a mut World, form: &'a Form) -> Reply<Content<'a>> {
    let arn = arn_asked_for(form, "RuleArn", "listener-rule", "listener rule")?;
    let conditions = conditions_in(&form.structures("Conditions"));
    let actions = actions_in(&form.structures("Actions"))?;
    world.modify_rule(
        arn,
        (!conditions.is_empty()).then_some(conditions),
        (!actions.is_empty()).then_some(actions),
    )?;
    show(world, vec![arn.to_owned()])
}

pub(super) fn set_priorities<'a>(world: &'a mut World, form: &'a Form) -> Reply<Content<'a>> {
    let wanted: Vec<(String, u32)> = form
        .structures("RulePriorities")
        .iter()
        .map(|one| {
            let arn = checked(
                one.text("RuleArn").unwrap_or_default(),
                "listener-rule",
                "listener rule",
            )?;
            Ok((arn.to_owned(), one.number("Priority")?.unwrap_or_default()))
        })
        .collect::<Result<_, Refusal>>()?;
    world.set_rule_priorities(&wanted)?;
    show(world, wanted.into_iter().map(|(arn, _)| arn).collect())
}

pub(super) fn delete<'a>(world: &'a mut World, form: &'a Form) -> Reply<Content<'a>> {
    let arn = arn_asked_for(form, "RuleArn", "listener-rule", "listener rule")?;
    world.delete_rule(arn)?;
    done()
}

pub(super) fn describe<'a>(world: &'a World, form: &'a Form) -> Reply<Content<'a>> {
    let rows = match (form.text("ListenerArn"), form.list("RuleArns")) {
        (Some(arn), _) => rows_of(listener(world, arn)?.1),
        (None, arns) if !arns.is_empty() => arns.into_iter().map(|arn| row(world, arn)).collect::<Result<_, _>>()?,
        _ => {
            return Err(validation(
                "You must specify either listener rule ARNs or a listener ARN",
            ));
        }
    };
    let page = Page::of(form, rows.iter().map(|row| row.arn.to_owned()).collect())?;
    content(move |xml| {
        let shown = rows.into_iter().filter(|row| page.holds(row.arn));
        xml.list("Rules", shown, write_row);
        page.write_marker(xml);
    })
}

/// A rule as it is shown: a listener's default one, too.
struct RuleRow<'a> {
    arn: &'a str,
    /// `None` of the default rule.
    priority: Option<u32>,
    conditions: &'a [Condition],
    actions: &'a [Action],
}

/// By priority, the default rule last.
fn rows_of(listener: &Listener) -> Vec<RuleRow<'_>> {
    let own = listener.rules.iter().map(|rule| RuleRow {
        arn: &rule.arn,
        priority: Some(rule.priority),
        conditions: &rule.conditions,
        actions: &rule.actions,
    });
    let default = RuleRow {
        arn: &listener.default_rule_arn,
        priority: None,
        conditions: &[],
        actions: &listener.actions,
    };
    own.chain([default]).collect()
}

fn row<'a>(world: &'a World, arn: &str) -> Result<RuleRow<'a>, Refusal> {
    let arn = checked(arn, "listener-rule", "listener rule")?;
    let (_, owner) = world.rule_owner(arn).ok_or_else(|| not_found("rule"))?;
    let mut rows = rows_of(owner).into_iter();
    rows.find(|row| row.arn == arn).ok_or_else(|| not_found("rule"))
}

fn show<'a>(world: &'a World, arns: Vec<String>) -> Reply<Content<'a>> {
    let rows: Vec<RuleRow<'a>> = arns.iter().map(|arn| row(world, arn)).collect::<Result<_, _>>()?;
    content(move |xml| xml.list("Rules", rows, write_row))
}

fn write_row(xml: &mut Xml, row: RuleRow<'_>) {
    xml.text("RuleArn", row.arn);
    match row.priority {
        Some(priority) => xml.text("Priority", priority),
        None => xml.text("Priority", "default"),
    }
    write_conditions(xml, row.conditions);
    write_actions(xml, "Actions", row.actions);
    xml.text("IsDefault", row.priority.is_none());
}
