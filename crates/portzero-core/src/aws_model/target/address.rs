//! The address of a service: from the listeners and rules that forward to its target groups to one URL.

use std::fmt;

/// One way to a target group: a listener's default action, or a rule of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Route {
    /// The listener's: HTTP, HTTPS, TCP, TLS, UDP, …
    pub protocol: String,
    /// The port that the listener takes connections on.
    pub port: u16,
    /// The load balancer's own name.
    pub dns_name: String,
    /// The load balancer has private addresses only.
    pub is_internal: bool,
    /// What a request must have, beside coming to the port; nothing for a default action.
    pub conditions: Vec<RouteCondition>,
}

/// One condition of a listener rule, as far as it narrows an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteCondition {
    /// `host-header`, `path-pattern`, …
    pub field: String,
    /// Any of them, with `*` and `?` as wildcards. Empty where the condition says it in another way (a regular expression).
    pub values: Vec<String>,
}

impl RouteCondition {
    /// Whether every request has what it asks for.
    pub fn is_met_by_all(&self) -> bool {
        let is_any = |value: &String| value == "*" || (self.field == "path-pattern" && value == "/*");
        matches!(self.field.as_str(), "path-pattern" | "host-header") && self.values.iter().any(is_any)
    }
}

/// Where a service is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    url: String,
    is_internal: bool,
}

impl Address {
    /// As the configuration says it.
    pub fn configured(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            is_internal: false,
        }
    }

    /// What ECS says of a way that it manages: `serviceUrl` has a scheme, `endpoint` has none.
    pub fn managed(address: &str, is_internal: bool) -> Self {
        let url = if address.contains("://") {
            address.to_owned()
        } else {
            format!("https://{address}")
        };
        Self { url, is_internal }
    }

    /// The best of the routes that an address can be made of.
    ///
    /// HTTP and HTTPS go before other protocols, public load balancers before internal ones, and a name from a rule before the load
    /// balancer's own. With a name from a rule, HTTPS goes before HTTP; with the load balancer's own name it is the
    /// other way round, because no certificate holds that name, so a browser would refuse the address. Of equals, the shortest
    /// path, then the first.
    pub fn best<'r>(routes: impl IntoIterator<Item = &'r Route>) -> Option<Self> {
        let candidates = routes.into_iter().filter_map(|route| Some((route, parts(route)?)));
        let (route, parts) = candidates.min_by_key(|(route, parts)| {
            let is_tls = matches!(parts.scheme, "https" | "tls");
            (
                !matches!(parts.scheme, "http" | "https"),
                route.is_internal,
                parts.host.is_none(),
                is_tls == parts.host.is_none(),
                parts.path.len(),
            )
        })?;
        let host = parts.host.unwrap_or(&route.dns_name);
        let port = match (parts.scheme, route.port) {
            ("http", 80) | ("https", 443) => String::new(),
            (_, port) => format!(":{port}"),
        };
        Some(Self {
            url: format!("{}://{host}{port}{}", parts.scheme, parts.path),
            is_internal: route.is_internal,
        })
    }

    /// `https://shop.example.com/api/`, or `tcp://…` where the load balancer knows nothing of HTTP.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Whether a browser can go there.
    pub fn is_web(&self) -> bool {
        self.url.starts_with("http://") || self.url.starts_with("https://")
    }

    /// Whether it is reached from inside the VPC only.
    pub fn is_internal(&self) -> bool {
        self.is_internal
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)?;
        f.write_str(if self.is_internal { " (internal)" } else { "" })
    }
}

struct Parts<'r> {
    scheme: &'static str,
    host: Option<&'r str>,
    path: &'r str,
}

/// `None` where no address leads this way: its conditions want something that an address cannot have.
fn parts(route: &Route) -> Option<Parts<'_>> {
    let scheme = match route.protocol.as_str() {
        "HTTP" => "http",
        "HTTPS" => "https",
        "TCP" | "TCP_UDP" => "tcp",
        "TLS" => "tls",
        "UDP" => "udp",
        _ => return None,
    };
    let mut parts = Parts {
        scheme,
        host: None,
        path: "",
    };
    for condition in &route.conditions {
        let values = condition.values.iter().map(String::as_str);
        match condition.field.as_str() {
            "host-header" => parts.host = Some(values.into_iter().find(|host| is_host(host))?),
            "path-pattern" => parts.path = values.filter_map(path).min_by_key(|path| path.len())?,
            "http-request-method" if condition.values.iter().any(|method| method == "GET") => {}
            _ => return None,
        }
    }
    (!route.dns_name.is_empty()).then_some(parts)
}

/// A name without a wildcard.
fn is_host(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c))
}

/// The path that a pattern begins with, where the pattern matches that path: `/api/*` -> `/api/`, `/*` -> nothing.
fn path(pattern: &str) -> Option<&str> {
    let path = pattern.strip_suffix('*').unwrap_or(pattern);
    let is_plain = path
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "/-._~$@:+&".contains(c));
    match path {
        "" | "/" => Some(""),
        path if path.starts_with('/') && is_plain => Some(path),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(protocol: &str, port: u16, conditions: &[(&str, &[&str])]) -> Route {
        Route {
            protocol: protocol.into(),
            port,
            dns_name: "shop-123.eu-west-1.elb.amazonaws.com".into(),
            is_internal: false,
            conditions: conditions
                .iter()
                .map(|(field, values)| RouteCondition {
                    field: (*field).into(),
                    values: values.iter().map(|v| (*v).into()).collect(),
                })
                .collect(),
        }
    }

    fn url(routes: &[Route]) -> Option<String> {
        Address::best(routes).map(|address| address.to_string())
    }

    #[test]
    fn a_rule_gives_name_and_path_and_the_scheme_its_port() {
        let host: (&str, &[&str]) = ("host-header", &["*.example.com", "shop.example.com"]);
        for (route, wanted) in [
            (
                route("HTTPS", 443, &[host, ("path-pattern", &["/api/*"])]),
                "https://shop.example.com/api/",
            ),
            (route("HTTPS", 8443, &[host]), "https://shop.example.com:8443"),
            (
                route("HTTP", 80, &[("path-pattern", &["/*"])]),
                "http://shop-123.eu-west-1.elb.amazonaws.com",
            ),
            (
                route("HTTP", 8080, &[("path-pattern", &["/users", "/u*"])]),
                "http://shop-123.eu-west-1.elb.amazonaws.com:8080/u",
            ),
            (
                route("HTTP", 80, &[("http-request-method", &["GET"])]),
                "http://shop-123.eu-west-1.elb.amazonaws.com",
            ),
            (
                route("TCP", 5432, &[]),
                "tcp://shop-123.eu-west-1.elb.amazonaws.com:5432",
            ),
        ] {
            assert_eq!(url(&[route]).as_deref(), Some(wanted));
        }
    }

    #[test]
    fn where_no_address_leads_there_is_none() {
        for conditions in [
            ("host-header", &["*.example.com"] as &[&str]),
            ("host-header", &[]),
            ("path-pattern", &["*.php"]),
            ("path-pattern", &["/a/*/b"]),
            ("path-pattern", &["/a\"b*"]),
            ("http-header", &["x"]),
            ("source-ip", &["10.0.0.0/8"]),
        ] {
            assert_eq!(url(&[route("HTTPS", 443, &[conditions])]), None, "{conditions:?}");
        }
        assert_eq!(url(&[route("GENEVE", 6081, &[])]), None);
        assert_eq!(url(&[]), None);
    }

    #[test]
    fn the_better_route_wins_in_any_order() {
        let named = route("HTTPS", 443, &[("host-header", &["shop.example.com"])]);
        let named_http = route("HTTP", 80, &[("host-header", &["shop.example.com"])]);
        let (plain, plain_https) = (route("HTTP", 80, &[]), route("HTTPS", 443, &[]));
        let tcp = route("TCP", 80, &[]);
        let internal = Route {
            is_internal: true,
            ..named.clone()
        };
        let order = [&named, &named_http, &plain, &plain_https, &internal, &tcp];
        for (index, better) in order.iter().enumerate() {
            for worse in &order[index + 1..] {
                let both = [(*worse).clone(), (*better).clone()];
                assert_eq!(
                    url(&both),
                    url(std::slice::from_ref(*better)),
                    "{better:?} and {worse:?}"
                );
            }
        }
        assert_eq!(url(&[internal]).as_deref(), Some("https://shop.example.com (internal)"));
    }
}
