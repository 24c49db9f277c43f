//! AddTags, RemoveTags, DescribeTags.

use super::{balancer, checked, content, done, group, not_found};
use crate::model::refusal::Refusal;
use crate::wire::Reply;
use crate::wire::query::form::{Form, validation};
use crate::wire::query::xml::{Content, Xml};
use crate::world::World;

/// At most that many resources in one request (DescribeTags).
const RESOURCES_MAX: usize = 20;

pub(super) fn add<'a>(world: &'a mut World, form: &'a Form) -> Reply<Content<'a>> {
    let arns = named(world, form)?;
    let tags = tags_in(form);
    if tags.is_empty() {
        return Err(validation("At least one tag must be specified"));
    }
    for arn in arns {
        world.tag_balancing(arn, &tags)?;
    }
    done()
}

pub(super) fn remove<'a>(world: &'a mut World, form: &'a Form) -> Reply<Content<'a>> {
    let arns = named(world, form)?;
    world.untag_balancing(&arns, &form.list("TagKeys"));
    done()
}

pub(super) fn describe<'a>(world: &'a World, form: &'a Form) -> Reply<Content<'a>> {
    let arns = named(world, form)?;
    content(move |xml| {
        xml.list("TagDescriptions", arns, |xml, arn| {
            xml.text("ResourceArn", arn);
            let tags = world.account().balancing_tags.get(arn);
            xml.list("Tags", tags.into_iter().flatten(), |xml: &mut Xml, (key, value)| {
                xml.text("Key", key);
                xml.text("Value", value);
            });
        });
    })
}

/// The tags that a creation or AddTags carries.
pub(super) fn tags_in(form: &Form) -> Vec<(String, String)> {
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    let tags = form.structures("Tags");
    tags.iter()
        .map(|tag| (text(tag.text("Key")), text(tag.text("Value"))))
        .collect()
}

/// The resources of a request, which must all be there.
fn named<'a>(world: &World, form: &'a Form) -> Result<Vec<&'a str>, Refusal> {
    let arns = form.list("ResourceArns");
    if arns.len() > RESOURCES_MAX {
        return Err(validation(format!(
            "Cannot have more than {RESOURCES_MAX} resources described"
        )));
    }
    for arn in &arns {
        check_exists(world, arn)?;
    }
    Ok(arns)
}

fn check_exists(world: &World, arn: &str) -> Result<(), Refusal> {
    let resource = arn.split(':').nth(5).and_then(|resource| resource.split('/').next());
    match resource {
        Some("loadbalancer") => balancer(world, arn).map(drop),
        Some("listener") => world.listener(arn).map(drop).ok_or_else(|| not_found("listener")),
        Some("listener-rule") => world.rule_owner(arn).map(drop).ok_or_else(|| not_found("rule")),
        Some("targetgroup") => group(world, arn).map(drop),
        _ => checked(arn, "loadbalancer", "load balancer").map(drop),
    }
}
