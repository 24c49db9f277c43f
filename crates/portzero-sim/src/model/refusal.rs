//! How the simulated AWS refuses a request, and the words that several refusals share.

/// How the simulated AWS refuses a request: its code, its words, its HTTP status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// AWS's error code.
    pub code: String,
    /// AWS's message.
    pub message: String,
    /// The HTTP status.
    pub status: u16,
}

impl Refusal {
    /// A refusal with the HTTP status 400.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
            status: 400,
        }
    }

    /// What ECS calls a value that it does not take.
    pub(crate) fn invalid_parameter(message: impl Into<String>) -> Self {
        Self::new("InvalidParameterException", message)
    }

    /// What Elastic Load Balancing calls one.
    pub(crate) fn validation_error(message: impl Into<String>) -> Self {
        Self::new("ValidationError", message)
    }

    /// What Application Auto Scaling calls one.
    pub(crate) fn validation_exception(message: impl Into<String>) -> Self {
        Self::new("ValidationException", message)
    }
}

pub(crate) fn no_group() -> Refusal {
    Refusal::new("TargetGroupNotFound", "One or more target groups not found")
}

/// The rules for the names of target groups and of load balancers.
pub(crate) fn check_name(what: &str, name: &str) -> Result<(), Refusal> {
    let lower = if what == "Target group" { what } else { "Load balancer" };
    let refuse = |words: &str| Err(Refusal::validation_error(format!("{lower} name '{name}' {words}")));
    if name.is_empty() {
        return refuse("cannot be empty");
    }
    if name.chars().count() > 32 {
        return refuse("cannot be longer than '32' characters");
    }
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        return refuse("can only contain characters that are alphanumeric characters and hyphens(-)");
    }
    if name.starts_with('-') || name.ends_with('-') {
        return refuse("cannot begin or end with '-'");
    }
    Ok(())
}

/// The refusal of a value that the published model does not have.
pub(crate) fn enumeration(member: &str, value: &str, values: &[&str]) -> Option<Refusal> {
    (!values.contains(&value)).then(|| {
        constraint(
            member,
            value,
            &format!("Member must satisfy enum value set: [{}]", values.join(", ")),
        )
    })
}

pub(crate) fn constraint(member: &str, value: &str, words: &str) -> Refusal {
    Refusal::validation_error(format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {words}"
    ))
}

/// Whether a cluster can be called so. AWS's words are quoted in awslabs/amazon-ecs-nodejs-microservices issue 18.
pub(crate) fn check_cluster_name(name: &str) -> Result<(), Refusal> {
    let is_legal = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || name.len() > 255 || !name.chars().all(is_legal) {
        return Err(Refusal::invalid_parameter(format!(
            "Cluster must match ^[a-zA-Z0-9\\-_]{{1,255}}$, but was {name}"
        )));
    }
    Ok(())
}
