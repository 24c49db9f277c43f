//! What listeners and rules do with a request, in and out of the Query protocol.

use crate::model::load_balancer::Action;
use crate::model::refusal::Refusal;
use crate::wire::query::form::Structure;
use crate::wire::query::xml::Xml;

/// The kinds whose configuration is a structure of texts: (kind, structure, members).
const TEXTUAL: [(&str, &str, &[&str]); 4] = [
    (
        "redirect",
        "RedirectConfig",
        &["Protocol", "Port", "Host", "Path", "Query", "StatusCode"],
    ),
    (
        "fixed-response",
        "FixedResponseConfig",
        &["MessageBody", "StatusCode", "ContentType"],
    ),
    (
        "authenticate-cognito",
        "AuthenticateCognitoConfig",
        &[
            "UserPoolArn",
            "UserPoolClientId",
            "UserPoolDomain",
            "SessionCookieName",
            "Scope",
            "SessionTimeout",
            "OnUnauthenticatedRequest",
        ],
    ),
    (
        "authenticate-oidc",
        "AuthenticateOidcConfig",
        // Without the client's secret, which AWS does not show either.
        &[
            "Issuer",
            "AuthorizationEndpoint",
            "TokenEndpoint",
            "UserInfoEndpoint",
            "ClientId",
            "SessionCookieName",
            "Scope",
            "SessionTimeout",
            "OnUnauthenticatedRequest",
        ],
    ),
];

/// What AWS fills in where a redirect does not say it.
const REDIRECT_DEFAULTS: [(&str, &str); 5] = [
    ("Protocol", "#{protocol}"),
    ("Port", "#{port}"),
    ("Host", "#{host}"),
    ("Path", "/#{path}"),
    ("Query", "#{query}"),
];

pub(super) fn actions_in(structures: &[Structure<'_>]) -> Result<Vec<Action>, Refusal> {
    structures.iter().map(action_in).collect()
}

fn action_in(structure: &Structure<'_>) -> Result<Action, Refusal> {
    let kind = structure.text("Type").unwrap_or_default().to_owned();
    let mut action = Action {
        order: structure.number("Order")?,
        settings: settings_in(structure, &kind),
        kind,
        ..Action::default()
    };
    if action.kind == "forward" {
        forward_in(structure, &mut action)?;
    }
    Ok(action)
}

fn forward_in(structure: &Structure<'_>, action: &mut Action) -> Result<(), Refusal> {
    for group in structure.structures("ForwardConfig.TargetGroups") {
        let arn = group.text("TargetGroupArn").unwrap_or_default().to_owned();
        action.groups.push((arn, group.number("Weight")?.unwrap_or(1)));
    }
    if let Some(arn) = structure.text("TargetGroupArn").filter(|_| action.groups.is_empty()) {
        action.groups.push((arn.to_owned(), 1));
    }
    let sticky = "ForwardConfig.TargetGroupStickinessConfig";
    if structure.text(&format!("{sticky}.Enabled")) == Some("true") {
        action.stickiness = Some(structure.number(&format!("{sticky}.DurationSeconds"))?);
    }
    Ok(())
}

fn settings_in(structure: &Structure<'_>, kind: &str) -> Vec<(String, String)> {
    let Some((_, configuration, members)) = TEXTUAL.iter().find(|(known, ..)| *known == kind) else {
        return Vec::new();
    };
    let default = |member: &str| {
        let mut known = REDIRECT_DEFAULTS.iter().filter(|_| kind == "redirect");
        known.find(|(name, _)| *name == member).map(|(_, value)| *value)
    };
    members
        .iter()
        .filter_map(|member| {
            let said = structure.text(&format!("{configuration}.{member}"));
            Some(((*member).to_owned(), said.or_else(|| default(member))?.to_owned()))
        })
        .collect()
}

pub(super) fn write_actions(xml: &mut Xml, name: &str, actions: &[Action]) {
    xml.list(name, actions, |xml, action| {
        xml.text("Type", &action.kind);
        // AWS repeats a single group outside its configuration.
        if let [(arn, _)] = action.groups.as_slice() {
            xml.text("TargetGroupArn", arn);
        }
        if let Some(order) = action.order {
            xml.text("Order", order);
        }
        if let Some((_, configuration, _)) = TEXTUAL.iter().find(|(known, ..)| *known == action.kind) {
            xml.element(configuration, |xml| {
                for (member, value) in &action.settings {
                    xml.text(member, value);
                }
            });
        }
        if !action.groups.is_empty() {
            write_forward(xml, action);
        }
    });
}

fn write_forward(xml: &mut Xml, action: &Action) {
    xml.element("ForwardConfig", |xml| {
        xml.list("TargetGroups", &action.groups, |xml, (arn, weight)| {
            xml.text("TargetGroupArn", arn);
            xml.text("Weight", weight);
        });
        xml.element("TargetGroupStickinessConfig", |xml| {
            xml.text("Enabled", action.stickiness.is_some());
            if let Some(seconds) = action.stickiness.flatten() {
                xml.text("DurationSeconds", seconds);
            }
        });
    });
}
