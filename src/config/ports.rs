//! deployfish's `ports:`, which are docker-compose's short form: `80`, `8000:80`, `0:80`, `8125:8125/udp`.

use serde_json::{Map, Value, json};

/// One port mapping as RegisterTaskDefinition wants it. Without a host port there is no `hostPort` at all, which means
/// a dynamic one in the network mode bridge, and the container's own port in the others.
///
/// # Errors
/// What is wrong with the text, as the end of a sentence.
pub(super) fn port_mapping(text: &str) -> Result<Value, String> {
    let (ports, protocol) = match text.split_once('/') {
        Some((ports, protocol @ ("tcp" | "udp"))) => (ports, protocol),
        Some((_, "sctp")) => return Err("sctp is not a protocol of ECS: tcp and udp are".to_owned()),
        Some((_, other)) => return Err(format!("expected the protocol tcp or udp, got {other:?}")),
        None => (text, "tcp"),
    };
    if text.contains('-') {
        return Err("port ranges are not supported: list each port".to_owned());
    }
    let parts: Vec<&str> = ports.split(':').collect();
    let (host, container) = match parts.as_slice() {
        [container] => (None, *container),
        [host, container] => (Some(*host), *container),
        _ => return Err("a host address is not supported: ECS binds to every address of the instance".to_owned()),
    };
    let mut mapping = Map::new();
    mapping.insert("containerPort".to_owned(), json!(port(container, 1)?));
    if let Some(host) = host {
        mapping.insert("hostPort".to_owned(), json!(port(host, 0)?));
    }
    mapping.insert("protocol".to_owned(), json!(protocol));
    Ok(Value::Object(mapping))
}

/// A port number of `least` to 65535 in plain digits.
pub(super) fn port(text: &str, least: u16) -> Result<u16, String> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match text.parse::<u16>() {
        Ok(number) if digits && number >= least => Ok(number),
        _ => Err(format!("expected a port number from {least} to 65535, got {text:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_deployfish_are_read() {
        for (text, mapping) in [
            ("80", json!({"containerPort": 80, "protocol": "tcp"})),
            ("80/udp", json!({"containerPort": 80, "protocol": "udp"})),
            ("0:80", json!({"containerPort": 80, "hostPort": 0, "protocol": "tcp"})),
            ("22:22", json!({"containerPort": 22, "hostPort": 22, "protocol": "tcp"})),
            (
                "8443:443",
                json!({"containerPort": 443, "hostPort": 8443, "protocol": "tcp"}),
            ),
            (
                "8125:8125/udp",
                json!({"containerPort": 8125, "hostPort": 8125, "protocol": "udp"}),
            ),
        ] {
            assert_eq!(port_mapping(text).unwrap(), mapping, "{text}");
        }
    }

    #[test]
    fn what_a_lenient_reader_would_misread_is_refused() {
        let refused =
            "127.0.0.1:8080:80 8000-8010:8000-8010 8080:80/sctp abc80 80abc 0 :80 80: 70000 +80 80/ 80/TCP 1.5";
        for text in refused.split(' ').chain(["", " 80"]) {
            assert!(port_mapping(text).is_err(), "{text:?}");
        }
    }
}
