//! The sizes of tasks that Fargate has. Source: Developer Guide, "Fargate task sizes".

use serde_json::Value;

const GB: u64 = 1024;

/// Whether Fargate has a size of so many CPU units with so much memory in MiB.
fn exists(cpu: u64, memory: u64) -> bool {
    let (gigabytes, step) = match cpu {
        256 => return [512, GB, 2 * GB].contains(&memory),
        512 => (1..=4, 1),
        1024 => (2..=8, 1),
        2048 => (4..=16, 1),
        4096 => (8..=30, 1),
        8192 => (16..=60, 4),
        16_384 => (32..=120, 8),
        32_768 => return [60 * GB, 120 * GB, 244 * GB].contains(&memory),
        _ => return false,
    };
    memory.is_multiple_of(step * GB) && gigabytes.contains(&(memory / GB))
}

/// AWS's refusal of a size that Fargate does not have; the body has both members.
pub(crate) fn refusal(body: &Value) -> Option<String> {
    let units = |key: &str, unit: &str| {
        let value = in_units(body.get(key)?, 1024.0, &[unit]);
        value.as_str().map(str::to_owned)
    };
    let (cpu, memory) = (units("cpu", "vcpu")?, units("memory", "gb")?);
    let is_there = match (cpu.parse(), memory.parse()) {
        (Ok(cpu), Ok(memory)) => exists(cpu, memory),
        _ => false,
    };
    (!is_there).then(|| {
        format!(
            "No Fargate configuration exists for given values: {cpu} CPU, {memory} memory. See the Amazon ECS \
             documentation for the valid values."
        )
    })
}

/// `"1 vCPU"` and `"0.5GB"` as AWS gives them back: in units, as a string.
pub(crate) fn in_units(value: &Value, factor: f64, units: &[&str]) -> Value {
    let Some(text) = value.as_str() else {
        return Value::String(value.to_string());
    };
    let lower = text.to_ascii_lowercase();
    let number = units
        .iter()
        .find_map(|unit| lower.strip_suffix(unit)?.trim().parse::<f64>().ok());
    number.map_or_else(
        || value.clone(),
        |number| Value::String(format!("{:.0}", number * factor)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn t26_fargate_has_the_sizes_of_the_developer_guide_and_no_other() {
        let is_there = |cpu: &str, memory: &str| refusal(&json!({"cpu": cpu, "memory": memory})).is_none();
        for (cpu, memory) in [
            ("256", "512"),
            (".25 vCPU", "2 GB"),
            ("1024", "8192"),
            ("4096", "30720"),
            ("8 vCPU", "20GB"),
            ("16384", "122880"),
            ("32 vCPU", "244 GB"),
        ] {
            assert!(is_there(cpu, memory), "{cpu} {memory}");
        }
        for (cpu, memory) in [
            ("300", "512"),
            ("256", "1536"),
            ("256", "4096"),
            ("512", "512"),
            ("1024", "2500"),
            ("8192", "17408"),
            ("16384", "131072"),
            ("32768", "131072"),
            ("much", "512"),
        ] {
            assert!(!is_there(cpu, memory), "{cpu} {memory}");
        }
    }
}
