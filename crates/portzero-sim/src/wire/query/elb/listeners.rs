//! CreateListener, ModifyListener, DeleteListener, DescribeListeners.

use super::actions::{actions_in, write_actions};
use super::tags::tags_in;
use super::{Page, arn_asked_for, balancer, checked, content, done, not_found};
use crate::balancer::listeners::ListenerChange;
use crate::model::refusal::Refusal;
use crate::model::state::{Listener, LoadBalancer};
use crate::wire::Reply;
use crate::wire::query::form::{Form, validation};
use crate::wire::query::xml::{Content, Xml};
use crate::world::World;

pub(super) fn create<'a>(world: &'a mut World, form: &'a Form) -> Reply<Content<'a>> {
    let balancer = arn_asked_for(form, "LoadBalancerArn", "loadbalancer", "load balancer")?;
    let arn = world.create_listener(balancer, &change_in(form)?, &tags_in(form))?;
    show(world, &arn)
}

pub(super) fn modify<'a>(world: &'a mut World, form: &'a Form) -> Reply<Content<'a>> {
    let arn = arn_asked_for(form, "ListenerArn", "listener", "listener")?;
    world.modify_listener(arn, &change_in(form)?)?;
    show(world, arn)
}

pub(super) fn delete<'a>(world: &'a mut World, form: &'a Form) -> Reply<Content<'a>> {
    let arn = arn_asked_for(form, "ListenerArn", "listener", "listener")?;
    world.delete_listener(arn)?;
    done()
}

pub(super) fn describe<'a>(world: &'a World, form: &'a Form) -> Reply<Content<'a>> {
    let listeners = match (form.text("LoadBalancerArn"), form.list("ListenerArns")) {
        (Some(arn), _) => {
            let balancer = balancer(world, arn)?;
            balancer.listeners.iter().map(|listener| (balancer, listener)).collect()
        }
        (None, arns) if !arns.is_empty() => arns
            .into_iter()
            .map(|arn| listener(world, arn))
            .collect::<Result<Vec<_>, _>>()?,
        _ => {
            return Err(validation(
                "You must specify either listener ARNs or a load balancer ARN",
            ));
        }
    };
    let arns = listeners.iter().map(|(_, listener)| listener.arn.clone()).collect();
    let page = Page::of(form, arns)?;
    content(move |xml| {
        let shown = listeners.into_iter().filter(|(_, listener)| page.holds(&listener.arn));
        xml.list("Listeners", shown, |xml, (balancer, listener)| {
            write_listener(xml, balancer, listener);
        });
        page.write_marker(xml);
    })
}

pub(super) fn listener<'a>(world: &'a World, arn: &str) -> Result<(&'a LoadBalancer, &'a Listener), Refusal> {
    let arn = checked(arn, "listener", "listener")?;
    world.listener(arn).ok_or_else(|| not_found("listener"))
}

fn show<'a>(world: &'a World, arn: &str) -> Reply<Content<'a>> {
    let (balancer, listener) = listener(world, arn)?;
    content(move |xml| {
        xml.list("Listeners", [listener], |xml, listener| {
            write_listener(xml, balancer, listener)
        });
    })
}

fn change_in(form: &Form) -> Result<ListenerChange, Refusal> {
    let certificates = form.structures("Certificates");
    let arns = certificates.iter().filter_map(|one| one.text("CertificateArn"));
    let actions = actions_in(&form.structures("DefaultActions"))?;
    Ok(ListenerChange {
        protocol: form.text("Protocol").map(str::to_owned),
        port: form.number("Port")?,
        certificates: (!certificates.is_empty()).then(|| arns.map(str::to_owned).collect()),
        ssl_policy: form.text("SslPolicy").map(str::to_owned),
        actions: (!actions.is_empty()).then_some(actions),
    })
}

fn write_listener(xml: &mut Xml, balancer: &LoadBalancer, listener: &Listener) {
    xml.text("ListenerArn", &listener.arn);
    xml.text("LoadBalancerArn", &balancer.arn);
    xml.text("Port", listener.port);
    xml.text("Protocol", &listener.protocol);
    if !listener.certificates.is_empty() {
        xml.list("Certificates", &listener.certificates, |xml, arn| {
            xml.text("CertificateArn", arn);
        });
    }
    if let Some(policy) = &listener.ssl_policy {
        xml.text("SslPolicy", policy);
    }
    write_actions(xml, "DefaultActions", &listener.actions);
}
