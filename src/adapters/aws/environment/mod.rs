//! What this machine says about AWS: variables, the shared configuration, the way to the network. It is looked at before
//! the first call, so that what is wrong is told by its name. docs/aws-environment.md lists what is honoured.
//!
//! * `shared_config`: `~/.aws/config` and `~/.aws/credentials`
//! * `proxy`, `trust`: the way to the network; `network`: the HTTP client that goes it

mod network;
mod proxy;
mod shared_config;
mod trust;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

use aws_types::os_shim_internal::Env;
use portzero_core::base::finding::{Code, Finding};

pub(super) use network::{At, Network};
pub(super) use shared_config::SharedConfig;

/// What the SDK needs besides `AWS_…` to find files and programs.
const OTHERS: [&str; 9] = [
    "HOME",
    "USERPROFILE",
    "HOMEDRIVE",
    "HOMEPATH",
    "SECRET_ACCESS_KEY",
    "REQUESTS_CA_BUNDLE",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
];
/// They become part of a header of every request.
const IN_HEADERS: [&str; 7] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    // Before the name that it stands for.
    "AWS_SECURITY_TOKEN",
    "AWS_SESSION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
];
/// Older names that the AWS CLI still reads, each with the name that stands for it today.
const OLDER_NAMES: [(&str, &str); 2] = [
    ("AWS_SECURITY_TOKEN", "AWS_SESSION_TOKEN"),
    ("AWS_DEFAULT_PROFILE", "AWS_PROFILE"),
];

/// The variables that are about AWS and the way there. An empty one counts as not given: CI systems set one to nothing
/// where its source has no value, and the SDK would take the nothing for a value.
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    /// Variables whose value is no text.
    unreadable: BTreeSet<String>,
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.variables.keys()).finish()
    }
}

impl Environment {
    /// Keeps what matters here.
    pub fn of(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let mut kept = Self::default();
        for (name, value) in variables {
            let Some(name) = name.to_str().filter(|name| is_ours(name)) else {
                continue;
            };
            match value.into_string() {
                Ok(value) if value.trim().is_empty() => {}
                Ok(value) => {
                    kept.variables.insert(name.to_owned(), value);
                }
                Err(_) => {
                    kept.unreadable.insert(name.to_owned());
                }
            }
        }
        for (older, name) in OLDER_NAMES {
            if let (Some(value), None) = (kept.get(older), kept.get(name)) {
                let value = value.to_owned();
                kept.variables.insert(name.to_owned(), value);
            }
        }
        kept
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// The first of these that has a value, with its name.
    fn first<'n>(&self, names: &[&'n str]) -> Option<(&'n str, &str)> {
        names.iter().find_map(|name| Some((*name, self.get(name)?)))
    }

    /// Whether credentials stand in the variables themselves: then no profile is asked for any.
    fn has_credentials(&self) -> bool {
        self.get("AWS_ACCESS_KEY_ID").is_some()
    }

    fn set(&mut self, name: String, value: String) {
        self.variables.insert(name, value);
    }

    /// As the SDK reads it.
    pub(super) fn env(&self) -> Env {
        let pairs: Vec<(&str, &str)> = self.variables.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        Env::from_slice(&pairs)
    }

    /// Values that no request can carry, by the name of their variable and never by the value.
    ///
    /// # Errors
    /// A finding for the first of them.
    pub(super) fn check(&self) -> Result<(), Box<Finding>> {
        if let Some(name) = self.unreadable.iter().next() {
            return Err(Box::new(unfit(name, "bytes that are no text")));
        }
        for name in IN_HEADERS {
            if let Some(what) = self.get(name).and_then(no_header) {
                return Err(Box::new(unfit(name, what)));
            }
        }
        for name in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
            if let Some(region) = self.get(name) {
                check_region(name, region)?;
            }
        }
        let endpoints = self
            .variables
            .iter()
            .filter(|(name, _)| name.starts_with("AWS_ENDPOINT_URL"));
        for (name, url) in endpoints {
            check_url(name, url)?;
        }
        Ok(())
    }
}

fn is_ours(name: &str) -> bool {
    name.starts_with("AWS_") || OTHERS.iter().any(|other| other.eq_ignore_ascii_case(name))
}

/// What a value has in it that no HTTP header can have.
fn no_header(value: &str) -> Option<&'static str> {
    value.chars().find_map(|c| match c {
        '\n' | '\r' => Some("a line end"),
        ' ' | '\t' => Some("a blank"),
        c if c.is_ascii_control() => Some("a control character"),
        c if !c.is_ascii() => Some("a character beyond ASCII"),
        _ => None,
    })
}

fn unfit(name: &str, what: &str) -> Finding {
    Finding::error(Code::Config, format!("the value of {name} cannot stand in a request"))
        .evidence("it has", what)
        .state("nothing was changed")
        .hint(format!(
            "set {name} again; with a copied value, look for what came along with it"
        ))
}

/// A region becomes part of a host's name.
///
/// # Errors
/// A finding where it cannot. `source` is what names it.
/// # Errors
/// A finding where that is no name of a region.
pub fn check_region(source: &str, region: &str) -> Result<(), Box<Finding>> {
    if is_region(region) {
        return Ok(());
    }
    Err(Box::new(
        Finding::error(Code::Config, format!("{source} names no region: `{region}`"))
            .state("nothing was changed")
            .hint("a region is written like eu-west-1"),
    ))
}

fn is_region(text: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '-';
    text.len() <= 63 && text.chars().all(is_word) && !text.starts_with('-') && !text.ends_with('-')
}

/// # Errors
/// A finding where that is no address of a server. It may have a password in it, so it is not shown.
fn check_url(source: &str, url: &str) -> Result<(), Box<Finding>> {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    let host = rest
        .and_then(|rest| rest.split(['/', '?', '#']).next())
        .unwrap_or_default();
    let is_host = !host.is_empty() && host.chars().all(|c| c.is_ascii_graphic());
    if is_host && !host.starts_with(':') {
        return Ok(());
    }
    Err(Box::new(
        Finding::error(Code::Config, format!("{source} is no address of a server"))
            .state("nothing was changed")
            .hint(format!("write {source} like https://HOST or http://HOST:PORT")),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Environment {
        Environment::of(pairs.iter().map(|(name, value)| (name.into(), value.into())))
    }

    #[test]
    fn an_empty_variable_is_not_given_and_a_strange_one_is_not_kept() {
        let environment = of(&[
            ("AWS_REGION", " "),
            ("AWS_PROFILE", ""),
            ("PATH", "/bin"),
            ("HOME", "/home/x"),
        ]);
        assert_eq!(format!("{environment:?}"), r#"{"HOME"}"#);
    }

    #[test]
    fn older_names_stand_in_where_the_newer_one_is_not_given() {
        let environment = of(&[
            ("AWS_SECURITY_TOKEN", "old"),
            ("AWS_DEFAULT_PROFILE", "old"),
            ("AWS_PROFILE", "new"),
        ]);
        assert_eq!(environment.get("AWS_SESSION_TOKEN"), Some("old"));
        assert_eq!(environment.get("AWS_PROFILE"), Some("new"));
    }

    #[test]
    fn what_no_header_can_carry_is_refused_by_name_and_not_shown() {
        for name in IN_HEADERS {
            for (tail, what) in [
                ("\n", "line end"),
                (" x", "blank"),
                ("\u{7}x", "control"),
                ("é", "ASCII"),
            ] {
                let value = format!("Swordfish{tail}");
                let told = format!("{:?}", of(&[(name, &value)]).check().unwrap_err());
                assert!(
                    told.contains(name) && told.contains(what) && !told.contains("Swordfish"),
                    "{told}"
                );
            }
            assert!(of(&[(name, "eu-west-1")]).check().is_ok());
        }
    }

    #[test]
    fn a_region_and_an_address_are_looked_at() {
        for bad in ["eu_west_1", "eu-west-1/x", "-x", "eu.west.1"] {
            assert!(of(&[("AWS_REGION", bad)]).check().is_err(), "{bad}");
        }
        for bad in ["localhost:4566", "ftp://x", "http://", "http:///x", "https://a b"] {
            let told = of(&[("AWS_ENDPOINT_URL_ECS", bad)]).check().unwrap_err();
            assert!(told.summary.contains("AWS_ENDPOINT_URL_ECS"), "{told:?}");
        }
        assert!(of(&[("AWS_ENDPOINT_URL", "http://[::1]:4566/x")]).check().is_ok());
    }
}
