//! The kinds of files that people give by mistake.

use crate::base::finding::Code;
use crate::base::position::Position;

/// What was expected of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The body of RegisterTaskDefinition.
    TaskDefinition,
    /// `portzero.yml`, or a file of deployfish.
    Configuration,
    /// The world of a rehearsal.
    Scenario,
}

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    // By their text.
    Empty,
    OnlyComments,
    MergeConflict,
    Jsonnet,
    Hjson,
    Json5,
    CommentedJson,
    YamlInJson,
    Hcl,
    Toml,
    Html,
    Xml,
    Dockerfile,
    Variables,
    CliError,
    Arn,
    Base64,
    JsonInText,
    // By their keys.
    CloudFormation,
    CloudFormationResource,
    Sam,
    PascalCase,
    Kubernetes,
    Compose,
    Workflow,
    GitlabCi,
    BuildSpec,
    Copilot,
    AppSpec,
    ImageDefinitions,
    Ecspresso,
    ServiceDefinition,
    RunTask,
    ServicesAnswer,
    TasksAnswer,
    ListAnswer,
    TerraformOutput,
    Skeleton,
    TaskDefinition,
    Configuration,
    TasksOnly,
    Scenario,
}

/// A file that is something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recognised {
    pub(super) kind: Kind,
    /// Where it shows.
    pub(super) at: Position,
}

impl Kind {
    pub(super) fn is(self, wanted: Wanted) -> bool {
        matches!(
            (self, wanted),
            (Self::TaskDefinition, Wanted::TaskDefinition)
                | (Self::Configuration, Wanted::Configuration)
                | (Self::Scenario, Wanted::Scenario)
        )
    }

    pub(super) fn at(self, at: Position) -> Recognised {
        Recognised { kind: self, at }
    }
}

impl Wanted {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::TaskDefinition => "a task definition",
            Self::Configuration => "a configuration of portzero",
            Self::Scenario => "a scenario",
        }
    }

    pub(super) fn code(self) -> Code {
        match self {
            Self::TaskDefinition => Code::NotATaskDefinition,
            Self::Configuration | Self::Scenario => Code::Config,
        }
    }
}
