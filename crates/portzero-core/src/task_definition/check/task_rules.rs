//! Rules on the task level that the API's model does not state and the service enforces.

use serde_json::Value;

use super::placeholder;
use crate::base::finding::{Code, Finding, Severity};
use crate::task_definition::document::{Document, NetworkMode, at, list};
use crate::task_definition::path::{Step, steps};

pub(crate) fn check(document: &Document) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(family(document));
    for key in ["taskRoleArn", "executionRoleArn"] {
        findings.extend(role(document, key));
    }
    findings.extend(fargate_network(document));
    findings.extend(size(document));
    findings
}

fn family(document: &Document) -> Option<Finding> {
    let family = document.family()?;
    let is_valid = (1..=255).contains(&family.len())
        && family
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if is_valid || !placeholder::names_in(family).is_empty() {
        return None;
    }
    let finding = Finding::error(Code::InvalidValue, format!("`{family}` is no valid family"))
        .evidence("allowed", "up to 255 letters, digits, hyphens and underscores");
    Some(at(finding, document.value_location(&steps!["family"])))
}

/// A role is an ARN of IAM with twelve digits of account, or a short name.
fn role(document: &Document, key: &str) -> Option<Finding> {
    let role = document.value.get(key)?.as_str()?;
    if !placeholder::names_in(role).is_empty() {
        return None;
    }
    let location = document.value_location(&steps![key]);
    if role.is_empty() {
        let finding = Finding::warning(Code::InvalidValue, format!("`{key}` is empty and is left out"))
            .hint(format!("remove `{key}`, or name a role"));
        return Some(at(finding, location));
    }
    let mut parts = role.splitn(6, ':');
    let (Some("arn"), Some(_), Some("iam"), Some(_), Some(account), Some(resource)) = (
        parts.next(),
        parts.next(),
        parts.next(),
        parts.next(),
        parts.next(),
        parts.next(),
    ) else {
        return None;
    };
    if !resource.starts_with("role/") {
        let kind = resource.split('/').next().unwrap_or(resource);
        let finding = Finding::error(Code::InvalidValue, format!("`{key}` names no role: {role} is a {kind}"))
            .hint("name a role: arn:aws:iam::ACCOUNT:role/NAME");
        return Some(at(finding, location));
    }
    if account.len() != 12 || !account.bytes().all(|b| b.is_ascii_digit()) {
        let summary = format!("`{key}` has no account of twelve digits: {role}");
        let finding =
            Finding::warning(Code::InvalidValue, summary).evidence("AWS", "refuses a role that it cannot find");
        return Some(at(finding, location));
    }
    None
}

fn fargate_network(document: &Document) -> Option<Finding> {
    if !document.requires_fargate() {
        return None;
    }
    let written = document.value.get("networkMode").and_then(Value::as_str);
    if written == Some("awsvpc") {
        return None;
    }
    let is = written.map_or("it is absent".to_owned(), |mode| format!("it is `{mode}`"));
    let finding = Finding::error(
        Code::InvalidValue,
        format!("Fargate needs `networkMode` to be `awsvpc`, and {is}"),
    )
    .evidence("AWS", "Fargate only supports network mode ‘awsvpc’.")
    .hint("write \"networkMode\": \"awsvpc\"");
    let location = document
        .value_location(&steps!["networkMode"])
        .or_else(|| document.location(&steps!["requiresCompatibilities"]));
    Some(at(finding, location))
}

/// The memory, in MiB, that Fargate has for a number of CPU units: least, most, step.
/// Source: ECS Developer Guide, "task size", 2026. (256 units also take 512, the one that is no multiple of 1024.)
const FARGATE_SIZES: &[(u64, u64, u64, u64)] = &[
    (256, 512, 2048, 512),
    (512, 1024, 4096, 1024),
    (1024, 2048, 8192, 1024),
    (2048, 4096, 16_384, 1024),
    (4096, 8192, 30_720, 1024),
    (8192, 16_384, 61_440, 4096),
    (16_384, 32_768, 122_880, 8192),
    (32_768, 61_440, 249_856, 4096),
];

/// What the largest size takes, which goes by no step. Source: cfn-lint 1.58, E3047.
const LARGEST: (u64, [u64; 3]) = (32_768, [61_440, 122_880, 249_856]);

fn size(document: &Document) -> Option<Finding> {
    let text = |key: &str| document.value.get(key).and_then(Value::as_str);
    let is_fargate = document.requires_fargate();
    let missing = ["cpu", "memory"]
        .into_iter()
        .find(|key| document.value.get(*key).is_none_or(Value::is_null));
    if let Some(key) = missing {
        return is_fargate.then(|| {
            let finding = Finding::error(Code::MissingKey, format!("Fargate needs `{key}` on the task level"));
            at(finding, document.location(&steps!["requiresCompatibilities"]))
        });
    }
    // A task in awsvpc mode that does not say what it is for may be meant for Fargate; others are not.
    let may_be_fargate =
        document.network_mode() == NetworkMode::Awsvpc && list(&document.value, "requiresCompatibilities").is_empty();
    if !is_fargate && !may_be_fargate {
        return None;
    }
    let (cpu, memory) = (cpu_units(text("cpu")?)?, memory_mib(text("memory")?)?);
    let reason = fargate_refuses(cpu, memory)?;
    let severity = if is_fargate { Severity::Error } else { Severity::Note };
    let summary = if is_fargate {
        format!("Fargate has no size of cpu {cpu} with memory {memory}")
    } else {
        format!("cpu {cpu} with memory {memory} is no size of Fargate (instances take it)")
    };
    let finding = Finding::new(Code::InvalidValue, severity, summary).evidence("sizes", reason);
    let steps: [Step; 1] = steps!["memory"];
    Some(at(finding, document.value_location(&steps)))
}

/// Which sizes there are, where this one is not among them.
fn fargate_refuses(cpu: u64, memory: u64) -> Option<String> {
    let Some((_, least, most, step)) = FARGATE_SIZES.iter().find(|(units, ..)| *units == cpu) else {
        let units: Vec<String> = FARGATE_SIZES.iter().map(|(units, ..)| units.to_string()).collect();
        return Some(format!("cpu is one of {}", units.join(", ")));
    };
    let is_step = memory.is_multiple_of(*step) && !(cpu == 256 && memory == 1536);
    let is_listed = cpu != LARGEST.0 || LARGEST.1.contains(&memory);
    if (*least..=*most).contains(&memory) && is_step && is_listed {
        return None;
    }
    let steps = if cpu == 256 {
        "512, 1024 or 2048".to_owned()
    } else if cpu == LARGEST.0 {
        LARGEST.1.map(|memory| memory.to_string()).join(", ")
    } else {
        format!("{least} to {most} in steps of {step}")
    };
    Some(format!("cpu {cpu} takes memory {steps}"))
}

/// `1024`, `1 vCPU` and `.5 vcpu` in CPU units.
pub(crate) fn cpu_units(text: &str) -> Option<u64> {
    with_unit(text, "vcpu")
}

/// `1024`, `1GB` and `0.5 GB` in MiB.
pub(crate) fn memory_mib(text: &str) -> Option<u64> {
    with_unit(text, "gb")
}

fn with_unit(text: &str, unit: &str) -> Option<u64> {
    let lower = text.trim().to_lowercase();
    let Some(number) = lower.strip_suffix(unit) else {
        return lower.parse().ok();
    };
    let (whole, fraction) = number.trim().split_once('.').unwrap_or((number.trim(), ""));
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    // Three digits are enough: the smallest step is a quarter of a vCPU, or half a gigabyte.
    let digits: String = fraction.chars().chain("000".chars()).take(3).collect();
    let thousandths: u64 = digits.parse().ok()?;
    whole.checked_mul(1024)?.checked_add(thousandths * 1024 / 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_in_both_forms() {
        assert_eq!(
            ["1024", "1 vCPU", ".25 vcpu"].map(cpu_units),
            [Some(1024), Some(1024), Some(256)]
        );
        assert_eq!(
            ["512", "0.5GB", "3 GB", "much"].map(memory_mib),
            [Some(512), Some(512), Some(3072), None]
        );
    }

    #[test]
    fn fargate_names_the_memory_that_a_cpu_size_takes() {
        assert_eq!(fargate_refuses(256, 512), None);
        assert_eq!(
            fargate_refuses(2048, 3072).as_deref(),
            Some("cpu 2048 takes memory 4096 to 16384 in steps of 1024")
        );
    }
}
