//! `~/.aws/config` and `~/.aws/credentials`: which profile is meant, and what it asks for.

use std::path::PathBuf;

use aws_config::profile::{Profile, ProfileSet};
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_runtime::env_config::property::PropertiesKey;
use aws_smithy_http_client::tls::TlsContext;
use aws_types::os_shim_internal::Fs;
use portzero_core::base::finding::{Code, Finding};
use portzero_core::base::text::nearest;

use super::{Environment, check_region, check_url, no_header, trust, unfit};

/// The services that are called, by the ids that AWS's reference guide has for them.
const SERVICES: [&str; 7] = [
    "ecs",
    "elastic_load_balancing_v2",
    "elastic_load_balancing",
    "cloudwatch_logs",
    "sts",
    "sso",
    "sso_oidc",
];
/// They become part of a header of every request.
const KEYS_IN_HEADERS: [&str; 3] = ["aws_access_key_id", "aws_secret_access_key", "aws_session_token"];
/// A chain of `source_profile` that is longer has a circle.
const SOURCES_MAX: usize = 10;

/// What both files say together.
#[derive(Clone, Debug, Default)]
pub(crate) struct SharedConfig {
    profiles: ProfileSet,
    /// Where each was looked for, and whether it is there.
    looked_at: String,
}

impl SharedConfig {
    /// # Errors
    /// A finding where a file is not in the form that AWS's tools read.
    pub(crate) async fn load(environment: &Environment) -> Result<Self, Box<Finding>> {
        let files = EnvConfigFiles::default();
        let looked_at = ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"];
        let looked_at = looked_at.map(|name| described(environment, name)).join(", ");
        match aws_config::profile::load(&Fs::real(), &environment.env(), &files, None).await {
            Ok(profiles) => Ok(Self { profiles, looked_at }),
            Err(error) => Err(Box::new(
                Finding::error(Code::Config, "AWS's configuration files cannot be read")
                    .evidence("looked at", looked_at)
                    .evidence("because", innermost(&error))
                    .state("nothing was changed")
                    .hint("correct that line; `aws configure list` reads the same files"),
            )),
        }
    }

    /// Whether credentials can be had from the profile that is meant, as far as the files tell.
    ///
    /// # Errors
    /// A finding that names the profile, with one next step.
    pub(crate) fn check(&self, environment: &Environment) -> Result<(), Box<Finding>> {
        let name = self.profiles.selected_profile();
        let Some(profile) = self.profiles.get_profile(name) else {
            return match environment.get("AWS_PROFILE") {
                Some(_) => Err(Box::new(self.missing(name, "AWS_PROFILE"))),
                None => Ok(()),
            };
        };
        if let Some(region) = profile.get("region").filter(|region| !region.is_empty()) {
            check_region(&format!("`region` of the AWS profile `{name}`"), region)?;
        }
        if let Some(url) = profile.get("endpoint_url") {
            check_url(&format!("`endpoint_url` of the AWS profile `{name}`"), url)?;
        }
        if environment.has_credentials() {
            return Ok(());
        }
        self.check_source(profile)
    }

    /// Follows `source_profile` to where the credentials are.
    fn check_source(&self, profile: &Profile) -> Result<(), Box<Finding>> {
        let mut profile = profile;
        for _ in 0..SOURCES_MAX {
            let name = profile.name();
            if profile.get("mfa_serial").is_some() && profile.get("role_arn").is_some() {
                let why = "asks for a code of a second factor (`mfa_serial`), and portzero asks nobody";
                return Err(Box::new(unable(name, why)));
            }
            let source = profile
                .get("source_profile")
                .filter(|_| profile.get("role_arn").is_some());
            match source {
                // A role may be assumed with keys that stand in the same profile.
                Some(source) if source != name => {
                    let next = self.profiles.get_profile(source);
                    let by = format!("`source_profile` of the AWS profile `{name}`");
                    profile = next.ok_or_else(|| Box::new(self.missing(source, &by)))?;
                }
                _ => return self.check_last(profile),
            }
        }
        Ok(())
    }

    /// The profile that the credentials are to come from.
    fn check_last(&self, profile: &Profile) -> Result<(), Box<Finding>> {
        for key in KEYS_IN_HEADERS {
            if let Some(what) = profile.get(key).and_then(no_header) {
                let name = format!("`{key}` of the AWS profile `{}`", profile.name());
                return Err(Box::new(unfit(&name, what)));
            }
        }
        if let Some(lack) = self.lacks_of_sign_on(profile) {
            return Err(Box::new(incomplete(profile.name(), &lack)));
        }
        if signs_in_by_login(profile) {
            let why = "signs in by `aws login` (`login_session`), which portzero does not read";
            return Err(Box::new(unable(profile.name(), why)));
        }
        Ok(())
    }

    /// What a profile lacks that wants single sign-on; the AWS CLI goes by the same two keys.
    fn lacks_of_sign_on(&self, profile: &Profile) -> Option<String> {
        if profile.get("sso_account_id").is_none() && profile.get("sso_role_name").is_none() {
            return None;
        }
        let session = profile.get("sso_session");
        let of_session = |key: &str| self.profiles.sso_session(session?)?.get(key);
        let keys = ["sso_start_url", "sso_region", "sso_account_id", "sso_role_name"];
        let lacks = |key: &&str| profile.get(key).is_none() && of_session(key).is_none();
        let key = keys.into_iter().find(lacks)?;
        Some(
            match session.filter(|_| key.ends_with("url") || key.ends_with("region")) {
                Some(session) => format!("{key}` in [sso-session {session}]"),
                None => format!("{key}`"),
            },
        )
    }

    fn missing(&self, name: &str, named_by: &str) -> Finding {
        let finding = Finding::error(
            Code::Config,
            format!("the AWS profile `{name}`, which {named_by} names, is not there"),
        );
        let finding = finding
            .evidence("looked at", &self.looked_at)
            .state("nothing was changed");
        match nearest(name, self.profiles.profiles().collect::<Vec<_>>()) {
            Some(near) => finding.hint(format!("did you mean `{near}`?")),
            None => finding.hint("`aws configure list-profiles` shows those that are there"),
        }
    }

    /// Why no credentials were found where the environment names a profile.
    pub(crate) fn without_credentials(&self, environment: &Environment) -> Option<String> {
        let name = environment.get("AWS_PROFILE")?;
        Some(format!(
            "the AWS profile `{name}`, which AWS_PROFILE names, holds no credentials"
        ))
    }

    /// Why no region was found where the environment names a profile.
    pub(crate) fn without_region(&self, environment: &Environment) -> Option<String> {
        let name = environment.get("AWS_PROFILE")?;
        Some(format!("`{name}`, which AWS_PROFILE names, says no region"))
    }

    /// Sets the variables of the addresses that a `[services …]` section names. The SDK reads those sections too, but
    /// looks for a service of several words by another name than AWS's reference guide has.
    ///
    /// # Errors
    /// A finding where one is no address.
    pub(crate) fn add_endpoints(&self, environment: &mut Environment) -> Result<(), Box<Finding>> {
        let Some(section) = self.profiles.get("services") else {
            return Ok(());
        };
        let is_ignored = environment
            .get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")
            .or(self.profiles.get("ignore_configured_endpoint_urls"))
            .is_some_and(|value| value.eq_ignore_ascii_case("true"));
        // A variable wins over the files, and one for all services is a variable too.
        if is_ignored || environment.get("AWS_ENDPOINT_URL").is_some() {
            return Ok(());
        }
        for service in SERVICES {
            let variable = format!("AWS_ENDPOINT_URL_{}", service.to_ascii_uppercase());
            if environment.get(&variable).is_some() {
                continue;
            }
            if let Some(url) = self.of_service(section, service) {
                check_url(&format!("`endpoint_url` of {service} in [services {section}]"), url)?;
                environment.set(variable, url.to_owned());
            }
        }
        Ok(())
    }

    fn of_service(&self, section: &str, service: &str) -> Option<&str> {
        let key = PropertiesKey::builder()
            .section_key("services")
            .section_name(section)
            .property_name(service)
            .sub_property_name("endpoint_url");
        let value = self.profiles.other_sections().get(&key.build().ok()?)?;
        Some(value.as_str())
    }

    /// The authorities that are trusted in place of the system's.
    ///
    /// # Errors
    /// A finding where the file that is named has none.
    pub(crate) fn trust(&self, environment: &Environment) -> Result<Option<TlsContext>, Box<Finding>> {
        if let Some((name, path)) = environment.first(&["AWS_CA_BUNDLE"]) {
            return trust::bundle(name, path).map(Some);
        }
        if let Some(path) = self.profiles.get("ca_bundle").filter(|path| !path.is_empty()) {
            let profile = self.profiles.selected_profile();
            return trust::bundle(&format!("`ca_bundle` of the AWS profile `{profile}`"), path).map(Some);
        }
        match environment.first(&["REQUESTS_CA_BUNDLE"]) {
            Some((name, path)) => trust::bundle(name, path).map(Some),
            None => Ok(None),
        }
    }
}

/// The SDK asks a session before a process and before keys, but after a token and single sign-on.
fn signs_in_by_login(profile: &Profile) -> bool {
    let first = [
        "credential_source",
        "web_identity_token_file",
        "sso_session",
        "sso_start_url",
    ];
    profile.get("login_session").is_some() && !first.iter().any(|key| profile.get(key).is_some())
}

fn incomplete(profile: &str, lack: &str) -> Finding {
    Finding::error(
        Code::Config,
        format!("the AWS profile `{profile}` wants single sign-on, and lacks `{lack}"),
    )
    .state("nothing was changed")
    .hint(format!(
        "let the AWS CLI complete it: aws configure sso --profile {profile}"
    ))
}

fn unable(profile: &str, why: &str) -> Finding {
    Finding::error(Code::Config, format!("the AWS profile `{profile}` {why}"))
        .state("nothing was changed")
        .hint(format!(
            "let the AWS CLI sign in: eval \"$(aws configure export-credentials --profile {profile} --format env)\""
        ))
}

fn described(environment: &Environment, variable: &str) -> String {
    let default = match variable {
        "AWS_CONFIG_FILE" => "~/.aws/config",
        _ => "~/.aws/credentials",
    };
    let path = environment.get(variable).unwrap_or(default);
    let home = environment.first(&["HOME", "USERPROFILE"]).map(|(_, home)| home);
    let there = match (path.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => PathBuf::from(path),
    };
    let note = if there.exists() { "" } else { " (not there)" };
    format!("{path}{note}")
}

/// The words of the parser, which name file and line and show no value.
fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}
