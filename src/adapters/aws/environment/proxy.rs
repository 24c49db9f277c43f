//! The proxies that the environment names, read as the AWS CLI reads them.

use aws_smithy_http_client::proxy::ProxyConfig;
use portzero_core::base::finding::{Code, Finding};

use super::Environment;

/// Never through a proxy: this machine, and the addresses that give out the credentials of an instance or a container.
const ALWAYS_DIRECT: &str = "localhost,127.0.0.0/8,::1,169.254.0.0/16,fd00:ec2::/32";

/// One for each scheme of the address that is called.
#[derive(Clone, Debug)]
pub(super) struct Proxies {
    pub(super) https: ProxyConfig,
    pub(super) http: ProxyConfig,
}

impl Proxies {
    /// # Errors
    /// A finding where a variable names what is no proxy of a kind that can be used.
    pub(super) fn of(environment: &Environment) -> Result<Self, Box<Finding>> {
        let no_proxy = environment.first(&["no_proxy", "NO_PROXY"]).map(|(_, hosts)| hosts);
        let direct = match no_proxy {
            Some(hosts) => format!("{hosts},{ALWAYS_DIRECT}"),
            None => ALWAYS_DIRECT.to_owned(),
        };
        let named = |names: &[&'static str], make: fn(&str) -> Option<ProxyConfig>| match environment.first(names) {
            None => Ok(ProxyConfig::disabled()),
            Some((name, address)) => address_of(address)
                .and_then(|address| make(&address))
                .map(|config| config.no_proxy(&direct))
                .ok_or_else(|| Box::new(no_proxy_of(name))),
        };
        Ok(Self {
            https: named(&["https_proxy", "HTTPS_PROXY"], |url| ProxyConfig::https(url).ok())?,
            http: named(&["http_proxy", "HTTP_PROXY"], |url| ProxyConfig::http(url).ok())?,
        })
    }
}

/// With the scheme that is meant where none is written.
fn address_of(text: &str) -> Option<String> {
    let text = text.trim();
    match text.split_once("://") {
        Some(("http" | "https", _)) => Some(text.to_owned()),
        Some(_) => None,
        None => Some(format!("http://{text}")),
    }
}

/// It may have a password in it, so it is not shown.
fn no_proxy_of(name: &str) -> Finding {
    Finding::error(Code::Config, format!("{name} names no HTTP proxy"))
        .state("nothing was changed")
        .hint(format!(
            "write {name} like http://HOST:PORT; other kinds of proxy, such as SOCKS, cannot be used"
        ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_that_cannot_be_used_is_refused_by_name_and_not_shown() {
        let of = |value: &str| {
            let pair = ("HTTPS_PROXY".into(), value.into());
            Proxies::of(&Environment::of([pair]))
                .map(|_| ())
                .map_err(|finding| format!("{finding:?}"))
        };
        for good in ["http://proxy:3128", "proxy:3128", "https://user:word@proxy", ""] {
            assert_eq!(of(good), Ok(()), "{good}");
        }
        for bad in ["socks5://user:word@proxy:1080", "http://", "http://a b"] {
            let told = of(bad).unwrap_err();
            assert!(told.contains("HTTPS_PROXY") && !told.contains("word"), "{told}");
        }
    }
}
