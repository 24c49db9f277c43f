//! ECS's word that a task could not get what it needs before its first container starts: a secret, the registry's login,
//! a log group. It says in long sentences what a person wants to know in two words: which one, and who may not read it.

use crate::base::text::contains;

/// What ECS could not get ready for a task before its containers start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceTrouble {
    /// What it was.
    pub kind: Resource,
    /// Why it could not be had.
    pub why: Why,
    /// The name of the secret or log group, where ECS says it.
    pub name: Option<String>,
    /// The role that was refused.
    pub role: Option<String>,
    /// AWS's words.
    pub message: String,
}

/// What a task needs before its containers start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    /// Of Secrets Manager or the Parameter Store.
    Secret,
    /// The login at the image's registry.
    RegistryLogin,
    /// A log group for what a container prints.
    LogGroup,
    /// A volume to mount.
    Volume,
    /// The role that the task is to have, or that ECS starts it with.
    Role,
    /// A file of environment variables, in Amazon S3.
    EnvironmentFile,
    /// Anything else.
    Other,
}

/// Why something could not be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// A role is not allowed to.
    Denied,
    /// It is not there.
    Missing,
    /// No way through the network.
    Unreachable,
    /// AWS's words tell nothing of that.
    Unknown,
}

/// The words of which one stands in every message about such a thing. On container instances Docker says so: the log
/// driver's complaint stands in the reason of a container, and the agent has a name of its own for volumes.
const ABOUT: [&str; 7] = [
    "ResourceInitializationError",
    "failed to initialize logging driver",
    "failed to create Cloudwatch log stream",
    "CannotCreateVolumeError",
    "volume attachment",
    "waiting for volume",
    "unable to assume the role",
];

impl ResourceTrouble {
    /// `None` where the text is about something else.
    pub fn read(message: &str) -> Option<Self> {
        if !ABOUT.iter().any(|words| contains(message, words)) {
            return None;
        }
        let kind = kind(message);
        Some(Self {
            why: why(message),
            name: name(message, kind),
            role: role(message),
            kind,
            message: message.to_owned(),
        })
    }

    /// The key that Secrets Manager's secret does not hold: the secret itself is there.
    pub fn missing_key(&self) -> Option<&str> {
        let rest = self.message.split("did not contain json key ").nth(1)?;
        let key = rest.split_whitespace().next()?.trim_matches(['.', ',', '"', '\'', '`']);
        Some(key).filter(|key| !key.is_empty())
    }

    /// Whether the words are of a call that did not get through. Other things time out as well: Docker, or a network
    /// interface.
    pub fn is_of_a_call(&self) -> bool {
        let words = [
            "connection issue",
            "send request",
            "request send failed",
            "dial tcp",
            "i/o timeout",
        ];
        words.iter().any(|part| contains(&self.message, part))
    }

    /// Whether asking again, unchanged, is bound to fail again: AWS has answered, and the answer was no.
    pub fn is_final(&self) -> bool {
        matches!(self.why, Why::Denied | Why::Missing)
    }
}

/// The general words `unable to pull secrets or registry auth` say neither; what follows them does.
fn kind(message: &str) -> Resource {
    let is = |words: &[&str]| words.iter().any(|word| contains(message, word));
    let secret = [
        "retrieve secret",
        "fetch secret",
        "secretsmanager",
        "secrets manager",
        "from ssm",
        "ssm:GetParameter",
        "invalid ssm parameters",
    ];
    if is(&["assume the role"]) {
        Resource::Role
    } else if is(&["env files", "environment file"]) {
        Resource::EnvironmentFile
    } else if is(&secret) {
        Resource::Secret
    } else if is(&[
        "registry auth from",
        "retrieve ecr registry auth",
        "ecr:GetAuthorizationToken",
    ]) {
        Resource::RegistryLogin
    } else if is(&["log group", "log stream", "logger args", "logging driver"]) {
        Resource::LogGroup
    } else if is(&["EFS", "volume", "mount"]) {
        Resource::Volume
    } else {
        Resource::Other
    }
}

fn why(message: &str) -> Why {
    let is = |words: &[&str]| words.iter().any(|word| contains(message, word));
    if is(&[
        "AccessDenied",
        "not authorized to perform",
        "access to KMS is not allowed",
    ]) {
        Why::Denied
    } else if is(&[
        "ResourceNotFoundException",
        "can't find the specified secret",
        "does not exist",
        "invalid ssm parameters",
        "ParameterNotFound",
        "cannot find the parameter",
        "did not contain json key",
    ]) {
        Why::Missing
    } else if is(&[
        "connection issue",
        "timeout",
        "timed out",
        "request send failed",
        "deadline exceeded",
    ]) {
        Why::Unreachable
    } else {
        Why::Unknown
    }
}

fn name(message: &str, kind: Resource) -> Option<String> {
    let arn = |service: &str| {
        message
            .split(|c: char| c.is_whitespace() || matches!(c, ',' | '"' | '\'' | '[' | ']' | '(' | ')'))
            .map(|word| word.trim_end_matches(['.', ':', ';']))
            .find(|word| word.starts_with("arn:") && word.contains(service))
            .map(str::to_owned)
    };
    match kind {
        Resource::Secret => arn(":secretsmanager:").or_else(|| arn(":parameter/")).or_else(|| {
            let heads = ["nvalid ssm parameters: ", "cannot find the parameter(s): "];
            let listed = heads.iter().find_map(|head| message.split(head).nth(1))?;
            let first = listed.split_whitespace().next()?;
            Some(first.trim_end_matches([',', '.']).to_owned())
        }),
        Resource::LogGroup => arn(":log-group:"),
        _ => None,
    }
}

/// `arn:aws:sts::111122223333:assumed-role/ROLE/session`: the role alone.
fn role(message: &str) -> Option<String> {
    let assumed = message.split(":assumed-role/").nth(1);
    // The path is no part of the role's name.
    let named = || {
        message
            .split("assume the role '")
            .nth(1)?
            .split('\'')
            .next()?
            .rsplit('/')
            .next()
    };
    let role = assumed.map(|rest| rest.split(['/', ' ']).next().unwrap_or_default());
    let role = role.or_else(named).filter(|role| !role.is_empty());
    role.map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_secret_is_told_with_its_name_and_the_role() {
        let words = "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: \
                     unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret \
                     arn:aws:secretsmanager:us-east-1:111122223333:secret:shop/db-AbCdEf from secrets manager: \
                     AccessDeniedException: User: arn:aws:sts::111122223333:assumed-role/ecsTaskExecutionRole/0a1b is not \
                     authorized to perform: secretsmanager:GetSecretValue on resource: \
                     arn:aws:secretsmanager:us-east-1:111122223333:secret:shop/db-AbCdEf";
        let trouble = ResourceTrouble::read(words).unwrap();
        assert_eq!((trouble.kind, trouble.why), (Resource::Secret, Why::Denied));
        assert_eq!(trouble.role.as_deref(), Some("ecsTaskExecutionRole"));
        let arn = "arn:aws:secretsmanager:us-east-1:111122223333:secret:shop/db-AbCdEf";
        assert_eq!(trouble.name.as_deref(), Some(arn));
        assert!(trouble.is_final());
    }

    #[test]
    fn other_things_that_a_task_lacks_are_told_apart() {
        let read = |words: &str| {
            let found = ResourceTrouble::read(&format!("ResourceInitializationError: {words}")).unwrap();
            (found.kind, found.why, found.is_final())
        };
        let log = "failed to validate logger args: create stream has been retried 1 times: failed to create Cloudwatch log \
                   stream: ResourceNotFoundException: The specified log group does not exist.";
        assert_eq!(read(log), (Resource::LogGroup, Why::Missing, true));
        let ssm = "unable to pull secrets or registry auth: unable to retrieve secrets from ssm: invalid ssm parameters: /shop/db";
        assert_eq!(read(ssm), (Resource::Secret, Why::Missing, true));
        assert_eq!(read("something new"), (Resource::Other, Why::Unknown, false));
        assert!(ResourceTrouble::read("CannotPullContainerError: no").is_none());
    }
    #[test]
    fn a_name_is_told_apart_from_the_role_that_may_not_read_it() {
        let named = |words: &str| {
            ResourceTrouble::read(&format!("ResourceInitializationError: {words}"))
                .unwrap()
                .name
        };
        let user = "User: arn:aws:sts::111122223333:assumed-role/r/1 is not authorized to perform:";
        let secret = "arn:aws:secretsmanager:us-east-1:111122223333:secret:db-AbCdEf";
        assert_eq!(
            named(&format!("{user} secretsmanager:GetSecretValue on resource: {secret}")).as_deref(),
            Some(secret)
        );
        let group = "arn:aws:logs:us-east-1:111122223333:log-group:/ecs/web";
        assert_eq!(
            named(&format!(
                "failed to create log stream: {user} logs:CreateLogStream on resource: {group}."
            ))
            .as_deref(),
            Some(group)
        );
    }
}
