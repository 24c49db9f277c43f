//! What portzero found out, in the one shape that every surface prints: cause, evidence, state, hints.

use std::fmt;

pub use crate::base::evidence_label::EvidenceLabel;
pub use crate::base::hint::{Hint, HintKind};

/// How bad a finding is. `Error` before the first change means that nothing is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Good to know; nothing is wrong.
    Note,
    /// Something is wrong that does not keep the run from its end. A strict run fails for it.
    Warning,
    /// The run fails for it.
    Error,
}

impl Severity {
    /// As it is printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Where in a file of the user's a finding points. Lines and columns count from 1; columns count characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// As the user named it.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// One finding. The order of the fields is the order in which people read them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What kind of finding it is.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// What did not happen, in the user's nouns; lower case, no final period.
    pub summary: String,
    /// Where in a file of the user's it points.
    pub location: Option<Location>,
    /// Labelled lines: (`check`, `GET /healthz on port 3000 -> 404`).
    pub evidence: Vec<(EvidenceLabel, String)>,
    /// What AWS was left in.
    pub state: Option<String>,
    /// At most two actions that are true for this very case.
    pub hints: Vec<Hint>,
}

impl Finding {
    /// One without evidence, state and hints.
    pub fn new(code: Code, severity: Severity, summary: impl Into<String>) -> Self {
        Self {
            code,
            severity,
            summary: summary.into(),
            location: None,
            evidence: Vec::new(),
            state: None,
            hints: Vec::new(),
        }
    }

    /// What the run fails for.
    pub fn error(code: Code, summary: impl Into<String>) -> Self {
        Self::new(code, Severity::Error, summary)
    }

    /// What is wrong and fails nothing.
    pub fn warning(code: Code, summary: impl Into<String>) -> Self {
        Self::new(code, Severity::Warning, summary)
    }

    /// What is good to know.
    pub fn note(code: Code, summary: impl Into<String>) -> Self {
        Self::new(code, Severity::Note, summary)
    }

    /// The evidence by label and text; a label that repeats the one before it is left out, for the eye to find the next.
    pub fn evidence_rows(&self) -> impl Iterator<Item = (&str, &str)> {
        let before = [None]
            .into_iter()
            .chain(self.evidence.iter().map(|(label, _)| Some(label)));
        let rows = self.evidence.iter().zip(before);
        rows.map(|((label, text), before)| {
            let label = if before == Some(label) { "" } else { label.as_str() };
            (label, text.as_str())
        })
    }

    /// What the user has written is wrong or incomplete.
    pub fn usage(summary: impl Into<String>) -> Self {
        Self::error(Code::Config, summary)
    }

    /// Points at a place in a file.
    pub fn at(mut self, location: Location) -> Self {
        self.location = Some(location);
        self
    }

    /// Adds a line of evidence.
    pub fn evidence(mut self, label: impl Into<EvidenceLabel>, text: impl Into<String>) -> Self {
        self.evidence.push((label.into(), text.into()));
        self
    }

    /// Says what AWS was left in.
    pub fn state(mut self, state: impl Into<String>) -> Self {
        self.state = Some(state.into());
        self
    }

    /// All of them, in their order, instead of what was there.
    pub(crate) fn with_hints(mut self, hints: impl IntoIterator<Item = impl Into<Hint>>) -> Self {
        self.hints = hints.into_iter().map(Into::into).collect();
        self
    }

    /// Adds a next move.
    pub fn hint(mut self, hint: impl Into<Hint>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal,)*) => {
        /// The one list of finding codes. A code is stable: scripts may match on it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(
                #[doc = concat!("The code `", $text, "`.")]
                $(#[$doc])*
                $variant,
            )*
        }

        impl Code {
            /// All of them, in the order in which the documentation lists them.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)*];

            /// As it is printed.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }
    };
}

codes! {
    // Task definition files.
    /// The file is not what its name says (JSON, YAML).
    Syntax = "syntax",
    /// The file is something else, for example a CloudFormation template.
    NotATaskDefinition = "not-a-task-definition",
    /// The same key twice in one object.
    DuplicateKey = "duplicate-key",
    /// A key that no known version of the API has: a slip, or newer than this program.
    UnknownKey = "unknown-key",
    /// A key that was sent with RegisterTaskDefinition and that AWS has dropped.
    KeyNotKept = "key-not-kept",
    /// A value of the wrong type.
    WrongType = "wrong-type",
    /// A required key is absent.
    MissingKey = "missing-key",
    /// `<NAME>`, `${NAME}`, `{{name}}` or `%NAME%` left in a value.
    UnfilledPlaceholder = "unfilled-placeholder",
    /// A link, volume or dependency that names nothing.
    DanglingReference = "dangling-reference",
    /// The rollout is expected to take longer than the run waits.
    TimeoutShort = "timeout-short",
    /// A task definition of another family than the one that runs.
    OtherFamily = "other-family",
    /// A value that the API refuses or that cannot work.
    InvalidValue = "invalid-value",
    /// hostPort and containerPort differ where the network mode wants them equal.
    HostPortMismatch = "host-port-mismatch",
    /// A port that cannot be dynamic in this network mode.
    HostPortStatic = "host-port-static",
    /// `--image` names no container, or does not say which one.
    ImageTarget = "image-target",
    /// An image's tag does not say which image it is.
    ImageTag = "image-tag",
    // Configuration.
    /// The configuration cannot be read as written.
    Config = "config",
    /// `${NAME}` without a value.
    MissingVariable = "missing-variable",
    /// A key that is understood and not acted on.
    IgnoredKey = "ignored-key",
    /// A stranger's file names more than that of the base branch, or that cannot be known.
    TrustBase = "trust-base",
    // Credentials.
    /// GitHub offers or gives no ID token.
    IdTokenUnavailable = "id-token-unavailable",
    /// STS gives no credentials for the role.
    RoleNotAssumed = "role-not-assumed",
    /// The credentials end before the rollout is expected to.
    CredentialsEndEarly = "credentials-end-early",
    // Before the first change.
    ClusterMissing = "cluster-missing",
    ServiceMissing = "service-missing",
    ServiceNotActive = "service-not-active",
    UnsupportedController = "unsupported-controller",
    DeploymentBlocked = "deployment-blocked",
    DeploymentInProgress = "deployment-in-progress",
    LoadBalancerMismatch = "load-balancer-mismatch",
    TargetGroupNotInUse = "target-group-not-in-use",
    TargetTypeMismatch = "target-type-mismatch",
    HealthCheckPortFixed = "health-check-port-fixed",
    NothingToVerify = "nothing-to-verify",
    /// `--until stage:NAME` for a service that has no such stage.
    StageMissing = "stage-missing",
    /// Hours, or a person, stand between this run and its end.
    LongWait = "long-wait",
    /// No earlier revision is known to have run well.
    NoWayBack = "no-way-back",
    NotChecked = "not-checked",
    // While it rolls out.
    ImagePull = "image-pull",
    ContainerExit = "container-exit",
    OutOfMemory = "out-of-memory",
    /// A secret that a container needs cannot be read.
    Secret = "secret",
    Resources = "resource-initialization",
    TargetUnhealthy = "target-unhealthy",
    TargetFlapping = "target-flapping",
    /// No target was, or will be, healthy for a while.
    NoHealthyTarget = "no-healthy-target",
    /// The listener rules do not send the requests to the targets that serve.
    TrafficElsewhere = "traffic-elsewhere",
    /// ECS could not make a gateway route or an ingress path that it manages.
    RouteFailed = "route-failed",
    /// A target group that the service needs does not exist.
    TargetGroupMissing = "target-group-missing",
    /// A load balancer that the service needs does not exist.
    LoadBalancerMissing = "load-balancer-missing",
    ContainerUnhealthy = "container-unhealthy",
    /// Targets cannot be registered, for example because they are in another VPC.
    RegistrationFailed = "registration-failed",
    NoCapacity = "no-capacity",
    PortInUse = "port-in-use",
    /// The infrastructure took an instance away.
    InstanceLost = "instance-lost",
    /// A CloudWatch alarm ended the deployment.
    Alarm = "alarm",
    /// Old containers had to be killed.
    SigtermIgnored = "sigterm-ignored",
    RolledBack = "rolled-back",
    /// ECS could not go back either, or the end of that was not seen.
    RollbackFailed = "rollback-failed",
    /// A lifecycle hook failed, or a pause was not continued.
    HookFailed = "hook-failed",
    /// The run ended at a stage, and the deployment did not.
    GoesOn = "goes-on",
    DeploymentFailed = "deployment-failed",
    DeploymentGone = "deployment-gone",
    /// Nothing was in flight: what runs was checked once.
    NoRollout = "no-rollout",
    Superseded = "superseded",
    TimedOut = "timed-out",
    CouldNotObserve = "could-not-observe",
    Interrupted = "interrupted",
    /// Left alone, because a service that it depends on did not succeed.
    NotTouched = "not-touched",
    /// ECS cannot use the role that it needs for the load balancer or for the tasks.
    ServiceRole = "service-role",
    /// An AWS call failed.
    Api = "api",
    /// Something was not said on GitHub.
    GitHub = "github",
    /// The program met a state that it was not made for.
    InternalError = "internal-error",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
