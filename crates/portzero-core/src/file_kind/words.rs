//! What is said of each kind: what the file is, and what to do. A hint is an action, and there is none where none is sure.

use super::kind::{Kind, Wanted};
use crate::base::text::shell;

const FROM_AWS: &str = "a task definition as AWS has it: `aws ecs describe-task-definition --task-definition FAMILY --query \
                        taskDefinition > task-definition.json`";
const PAGE: &str = "a configuration begins with `version: 1` and `services:`; docs/configuration.md has its keys";
const FAMILY: &str = "name the family that it registers: `--task-definition FAMILY`";
const FAMILY_IN_FILE: &str = "name the family that it registers: `task_definition: FAMILY` in portzero.yml";

pub(super) fn summary(kind: Kind, file: &str, wanted: Wanted) -> String {
    let is = |what: &str| format!("`{file}` is {what}, not {}", wanted.as_str());
    match kind {
        Kind::Empty => format!("`{file}` is empty"),
        Kind::OnlyComments => format!("`{file}` holds nothing but comments"),
        Kind::MergeConflict => format!("`{file}` holds a merge conflict that is not resolved"),
        Kind::CommentedJson => format!("`{file}` is JSON with comments, which JSON does not have"),
        Kind::Json5 => format!("`{file}` is not JSON: a name is not in double quotes, as JSON5 allows"),
        Kind::YamlInJson => format!("`{file}` is YAML, and its name says JSON"),
        Kind::Skeleton => format!("`{file}` is the skeleton of a task definition, not filled in"),
        Kind::PascalCase => {
            format!("the keys of `{file}` are spelt as in CloudFormation, and begin with a capital letter")
        }
        Kind::JsonInText => is("JSON inside of one text"),
        other => is(name(other)),
    }
}

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Jsonnet => "Jsonnet",
        Kind::Hjson => "Hjson",
        Kind::Hcl => "a Terraform file (HCL)",
        Kind::Toml => "TOML",
        Kind::Html => "an HTML page",
        Kind::Xml => "XML",
        Kind::Dockerfile => "a Dockerfile",
        Kind::Variables => "a file of environment variables",
        Kind::CliError => "an error message of the AWS CLI",
        Kind::Arn => "one ARN",
        Kind::Base64 => "Base64",
        Kind::CloudFormation => "a CloudFormation template",
        Kind::CloudFormationResource => "a resource of a CloudFormation template",
        Kind::Sam => "an AWS SAM template",
        Kind::Kubernetes => "a Kubernetes manifest",
        Kind::Compose => "a docker-compose file",
        Kind::Workflow => "a GitHub Actions workflow",
        Kind::GitlabCi => "a GitLab CI file",
        Kind::BuildSpec => "a CodeBuild buildspec",
        Kind::Copilot => "an AWS Copilot manifest",
        Kind::AppSpec => "a CodeDeploy AppSpec file",
        Kind::ImageDefinitions => "a list of images for CodePipeline (imagedefinitions.json)",
        Kind::Ecspresso => "an ecspresso configuration",
        Kind::ServiceDefinition => "the definition of a service",
        Kind::RunTask => "a request of RunTask",
        Kind::ServicesAnswer => "an answer of `aws ecs describe-services`",
        Kind::TasksAnswer => "an answer of `aws ecs describe-tasks`",
        Kind::ListAnswer => "a list of names from AWS",
        Kind::TerraformOutput => "Terraform's state as JSON",
        Kind::TaskDefinition => "a task definition",
        Kind::Configuration => "a configuration of portzero",
        Kind::TasksOnly => "a deployfish file with `tasks:` alone",
        Kind::Scenario => "a scenario of portzero's simulator",
        // These have summaries of their own.
        Kind::Empty
        | Kind::OnlyComments
        | Kind::MergeConflict
        | Kind::Json5
        | Kind::CommentedJson
        | Kind::YamlInJson
        | Kind::JsonInText
        | Kind::PascalCase
        | Kind::Skeleton => "something else",
    }
}

pub(super) fn hints(kind: Kind, file: &str, wanted: Wanted) -> Vec<String> {
    match of_form(kind, file) {
        Some(hint) => vec![hint],
        None => match wanted {
            Wanted::TaskDefinition => for_a_task_definition(kind),
            Wanted::Configuration => for_a_configuration(kind, file),
            Wanted::Scenario => for_a_scenario(kind, file),
        },
    }
}

/// What is wrong with the form is cured in the same way whatever is wanted.
fn of_form(kind: Kind, file: &str) -> Option<String> {
    let name = shell(file);
    Some(match kind {
        Kind::MergeConflict => {
            "keep one of the two sides, and remove the lines that begin with `<<<<<<<`, `=======` and `>>>>>>>`"
                .to_owned()
        }
        Kind::CommentedJson => {
            "remove the comments; or let the file's name end in `.yml`, and begin them with `#`".to_owned()
        }
        Kind::Json5 => "write names and texts in double quotes".to_owned(),
        Kind::YamlInJson => "let its name end in `.yml`".to_owned(),
        Kind::Jsonnet => format!("evaluate it first, and name the result: `jsonnet {name} > rendered.json`"),
        Kind::Hjson => format!("convert it first, and name the result: `hjson -j {name} > rendered.json`"),
        Kind::Base64 => format!("decode it first, and name the result: `base64 -d {name} > decoded.json`"),
        Kind::JsonInText => format!("unwrap it first, and name the result: `jq -r . {name} > unwrapped.json`"),
        Kind::Html => "open it: a download may have saved an error page or a login page".to_owned(),
        Kind::CliError => {
            "the command that wrote the file has failed: run it again, and read what it prints".to_owned()
        }
        _ => return None,
    })
}

fn for_a_task_definition(kind: Kind) -> Vec<String> {
    let hints: &[&str] = match kind {
        Kind::Empty => {
            &["look at the command that wrote it: `COMMAND > FILE` leaves an empty file where the command fails"]
        }
        Kind::CloudFormation | Kind::Sam | Kind::CloudFormationResource => &[
            FAMILY,
            "or write the task definition in the form of `aws ecs register-task-definition --cli-input-json` (camelCase keys)",
        ],
        Kind::Hcl | Kind::TerraformOutput => &[FAMILY],
        Kind::PascalCase => &["begin its keys with a small letter: `family`, `containerDefinitions`, `name`, `image`"],
        Kind::Copilot => &["name the family that Copilot registers: `--task-definition APPLICATION-ENVIRONMENT-NAME`"],
        Kind::Ecspresso => &[
            "name the file that its `task_definition` names",
            "or, if that is a template, render it with ecspresso first, and name the result",
        ],
        Kind::ImageDefinitions => &["put its images into a task definition: `--image NAME=URI`"],
        Kind::AppSpec => &["name the task definition file that belongs to it"],
        Kind::Arn => &["give the ARN itself: `--task-definition ARN`"],
        Kind::Configuration => &["name it with `--config`"],
        Kind::Scenario => &["name it with `--scenario`"],
        Kind::Workflow => &["name the file that its deployment step names as `task-definition`"],
        Kind::ServicesAnswer | Kind::TasksAnswer | Kind::ListAnswer | Kind::Skeleton => &[FROM_AWS],
        Kind::ServiceDefinition | Kind::RunTask => &["portzero changes the task definition alone: name its file"],
        _ => &["ECS takes another form: `aws ecs register-task-definition --generate-cli-skeleton` prints it"],
    };
    hints.iter().map(|hint| (*hint).to_owned()).collect()
}

fn for_a_configuration(kind: Kind, file: &str) -> Vec<String> {
    let name = shell(file);
    let hints: &[&str] = match kind {
        Kind::Ecspresso => &[
            "no configuration is needed: `--cluster CLUSTER --service SERVICE --task-definition FILE`, as this file has them",
            "if the task definition is a template, render it with ecspresso first, and name the result",
        ],
        Kind::TaskDefinition | Kind::Skeleton => {
            return vec![format!(
                "name it as one: `--task-definition {name}`, with `--cluster` and `--service`"
            )];
        }
        Kind::Scenario => return vec![format!("name it as one: `--scenario {name}`")],
        Kind::TasksOnly => &["portzero deploys services: name a file with `services:`"],
        Kind::CloudFormation
        | Kind::Sam
        | Kind::CloudFormationResource
        | Kind::Hcl
        | Kind::TerraformOutput
        | Kind::Copilot => &[FAMILY_IN_FILE, PAGE],
        Kind::Workflow => &[
            "the action's inputs can say the same without a file: docs/action.md",
            PAGE,
        ],
        Kind::Compose => {
            &["`services` is a list here, and each service has a `name`; docs/configuration.md has the keys"]
        }
        Kind::Arn => &["give the ARN itself: `--task-definition ARN`"],
        _ => &[PAGE],
    };
    hints.iter().map(|hint| (*hint).to_owned()).collect()
}

fn for_a_scenario(kind: Kind, file: &str) -> Vec<String> {
    let made = "`portzero init --scenario` writes one from a configuration";
    match kind {
        Kind::Configuration => vec![format!(
            "make one from it: `portzero init --scenario --config {} --output world.yml`",
            shell(file)
        )],
        Kind::TaskDefinition => vec!["name it with `--task-definition`".to_owned()],
        _ => vec![made.to_owned()],
    }
}
