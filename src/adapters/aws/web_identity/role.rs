//! What is asked of STS, checked before anything is sent.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use portzero_core::base::id::last_segment;

/// The ARN of an IAM role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleArn(String);

impl RoleArn {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The role's name without its path.
    pub fn name(&self) -> &str {
        last_segment(&self.0)
    }
}

impl fmt::Display for RoleArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for RoleArn {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let is_account = |text: &str| text.len() == 12 && text.chars().all(|c| c.is_ascii_digit());
        let is_name = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic());
        match parts.as_slice() {
            ["arn", partition, "iam", "", account, resource] if partition.starts_with("aws") && is_account(account) => {
                match resource.strip_prefix("role/") {
                    Some(name) if is_name(name) && !name.ends_with('/') => Ok(Self(text.to_owned())),
                    _ => Err(wanted("this is no role")),
                }
            }
            ["arn", _, "sts", ..] => Err(wanted("this is a session of a role, and not the role")),
            ["arn", ..] => Err(wanted("this is the ARN of something else")),
            _ => Err(wanted("this is no ARN")),
        }
    }
}

fn wanted(why: &str) -> String {
    format!("expected the ARN of a role, arn:aws:iam::ACCOUNT:role/NAME; {why}")
}

/// The name that CloudTrail shows for what this run does, as STS takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionName(String);

impl SessionName {
    /// `portzero-123456`, or `portzero` where there is no run id that could stand in a name.
    pub fn of_run(id: Option<&str>) -> Self {
        id.and_then(|id| format!("portzero-{id}").parse().ok())
            .unwrap_or_else(|| Self("portzero".into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SessionName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
        if (2..=64).contains(&text.len()) && text.chars().all(is_allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err("a session name has 2 to 64 letters, digits and `_+=,.@-`".into())
        }
    }
}

/// For how long credentials are asked for, within STS's limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionDuration(Duration);

impl SessionDuration {
    const LEAST: Duration = Duration::from_secs(900);
    const MOST: Duration = Duration::from_secs(43_200);
    /// Every role allows an hour, and since they are renewed, no wait needs longer ones.
    pub const DEFAULT: Self = Self(Duration::from_secs(3600));

    pub fn new(span: Duration) -> Result<Self, String> {
        if (Self::LEAST..=Self::MOST).contains(&span) {
            // STS counts whole seconds.
            Ok(Self(Duration::from_secs(span.as_secs())))
        } else {
            Err("STS gives credentials for 15m to 12h".into())
        }
    }

    pub fn get(self) -> Duration {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_arn_of_a_role_is_taken() {
        for good in [
            "arn:aws:iam::111122223333:role/deploy",
            "arn:aws-cn:iam::111122223333:role/ci/deploy",
        ] {
            assert_eq!(good.parse::<RoleArn>().unwrap().name(), "deploy", "{good}");
        }
        for (bad, why) in [
            ("deploy", "this is no ARN"),
            ("arn:aws:iam::111122223333:user/deploy", "this is no role"),
            ("arn:aws:iam::111122223333:role/", "this is no role"),
            ("arn:aws:iam::1111:role/deploy", "something else"),
            ("arn:aws:sts::111122223333:assumed-role/deploy/x", "a session of a role"),
        ] {
            assert!(bad.parse::<RoleArn>().unwrap_err().contains(why), "{bad}");
        }
    }

    #[test]
    fn a_session_is_named_after_the_run_where_that_can_be() {
        assert_eq!(SessionName::of_run(Some("123")).as_str(), "portzero-123");
        assert_eq!(SessionName::of_run(Some("1 2")).as_str(), "portzero");
        assert_eq!(SessionName::of_run(None).as_str(), "portzero");
        assert!("x".parse::<SessionName>().is_err());
    }
}
