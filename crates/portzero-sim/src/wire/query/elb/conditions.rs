//! When a rule applies, in and out of the Query protocol.

use crate::model::load_balancer::Condition;
use crate::wire::query::form::Structure;
use crate::wire::query::xml::Xml;

const CONFIGURATIONS: [(&str, &str); 6] = [
    ("host-header", "HostHeaderConfig"),
    ("path-pattern", "PathPatternConfig"),
    ("http-header", "HttpHeaderConfig"),
    ("http-request-method", "HttpRequestMethodConfig"),
    ("query-string", "QueryStringConfig"),
    ("source-ip", "SourceIpConfig"),
];

pub(super) fn conditions_in(structures: &[Structure<'_>]) -> Vec<Condition> {
    structures.iter().map(condition_in).collect()
}

fn condition_in(structure: &Structure<'_>) -> Condition {
    let field = structure.text("Field").unwrap_or_default().to_owned();
    let configuration = configuration_of(&field).unwrap_or_default();
    let inside = |member: &str| format!("{configuration}.{member}");
    let mut values = structure.list("Values");
    values.extend(structure.list(&inside("Values")));
    let pairs = structure.structures(&inside("Values"));
    let pairs = pairs.iter().filter(|_| field == "query-string").map(|pair| {
        let value = pair.text("Value").unwrap_or_default().to_owned();
        (pair.text("Key").map(str::to_owned), value)
    });
    Condition {
        pairs: pairs.collect(),
        values: values.into_iter().map(str::to_owned).collect(),
        header: structure.text(&inside("HttpHeaderName")).map(str::to_owned),
        field,
    }
}

pub(super) fn write_conditions(xml: &mut Xml, conditions: &[Condition]) {
    xml.list("Conditions", conditions, |xml, condition| {
        xml.text("Field", &condition.field);
        // The two oldest fields have their values in the old place too.
        if matches!(condition.field.as_str(), "host-header" | "path-pattern") {
            xml.texts("Values", &condition.values);
        }
        if let Some(configuration) = configuration_of(&condition.field) {
            xml.element(configuration, |xml| write_configuration(xml, condition));
        }
    });
}

fn write_configuration(xml: &mut Xml, condition: &Condition) {
    if let Some(header) = &condition.header {
        xml.text("HttpHeaderName", header);
    }
    if condition.field == "query-string" {
        xml.list("Values", &condition.pairs, |xml, (key, value)| {
            if let Some(key) = key {
                xml.text("Key", key);
            }
            xml.text("Value", value);
        });
    } else {
        xml.texts("Values", &condition.values);
    }
}

fn configuration_of(field: &str) -> Option<&'static str> {
    let mut known = CONFIGURATIONS.iter();
    known
        .find(|(name, _)| *name == field)
        .map(|(_, configuration)| *configuration)
}
