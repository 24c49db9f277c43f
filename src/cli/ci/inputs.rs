//! `portzero action`: the last step of the GitHub Action. Its inputs arrive as `PORTZERO_…` variables; here they become an
//! ordinary command line, so that the action has no path of its own.

use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue};
use clap::{Args, Command, Parser};
use portzero_core::base::finding::Finding;
use portzero_core::base::text::nearest;
use portzero_core::pull_request::{DefaultCommand, Occasion};

use crate::adapters::github::occasion;
use crate::cli::ci::actions;
use crate::cli::diagnostics::crash;
use crate::cli::stop::Stop;
use crate::cli::{outputs, streams, variables};

/// It serves until it is stopped, so a step of it would never end.
const ENDLESS: &str = "simulate";
/// What stands for yes and no in a workflow. The flags' own variables take more spellings; the action has only these.
const BOOLEANS: [&str; 6] = [
    "PORTZERO_COMMIT_STATUS",
    "PORTZERO_DRY_RUN",
    "PORTZERO_FORCE_NEW_DEPLOYMENT",
    "PORTZERO_GITHUB_DEPLOYMENT",
    "PORTZERO_HIDE_ACCOUNT_IDS",
    "PORTZERO_TRUST_BASE",
];

#[derive(Debug, Args)]
pub(crate) struct Action {}

impl Action {
    /// The command that the inputs ask for.
    ///
    /// # Errors
    /// All inputs that are wrong, together; or that there is nothing to do. Nothing has been tried.
    pub(crate) fn command<C: Parser>(&self) -> Result<C, Stop> {
        outputs::surroundings_by_variable();
        let get = |name: &str| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
        let occasion = occasion(&get, actions::event().as_deref());
        let inputs = Inputs { get, occasion };
        let program = variables::without_empty(C::command());
        let request = inputs.request(&program).map_err(Stop::usage)?;
        streams::tell(&request.note);
        if request.line.is_empty() {
            outputs::skipped();
            return Err(Stop::nothing_to_do());
        }
        if let Some(folder) = &request.folder {
            std::env::set_current_dir(folder).map_err(|error| {
                let folder = folder.display();
                Finding::usage(format!(
                    "the input `working-directory` cannot be entered: {folder}: {error}"
                ))
                .state("nothing was changed")
            })?;
        }
        program
            .clone()
            .try_get_matches_from(&request.line)
            .inspect(crash::remember)
            .and_then(|matches| C::from_arg_matches(&matches))
            .map_err(|error| in_the_words_of_the_action(&program, &request.line, &error).into())
    }
}

/// What the inputs come to.
#[derive(Debug)]
struct Request {
    /// Empty where there is nothing to do.
    line: Vec<String>,
    folder: Option<PathBuf>,
    /// Which command it is, and why.
    note: String,
}

/// The action's inputs, by variable, and what the run is about where they name no command.
struct Inputs<F> {
    get: F,
    occasion: Occasion,
}

impl<F: Fn(&str) -> Option<String>> Inputs<F> {
    /// Without blanks around it; an empty one counts as not given.
    fn get(&self, variable: &str) -> Option<String> {
        let value = (self.get)(variable)?;
        let value = value.trim();
        (!value.is_empty()).then(|| value.to_owned())
    }

    fn request(&self, program: &Command) -> Result<Request, Vec<Finding>> {
        let mut findings: Vec<Finding> = BOOLEANS.iter().filter_map(|name| self.no_boolean(name)).collect();
        findings.extend(self.not_acted_on());
        let (command, note) = self
            .subcommand(program)
            .map_err(|finding| findings.push(finding))
            .unwrap_or_default();
        findings.extend(self.not_held(program, &command));
        let more = self
            .arguments()
            .map_err(|finding| findings.push(finding))
            .unwrap_or_default();
        if !findings.is_empty() {
            let findings = findings.into_iter().map(|finding| finding.state("nothing was changed"));
            return Err(findings.collect());
        }
        let folder = self.get("PORTZERO_WORKING_DIRECTORY").map(PathBuf::from);
        if command.is_empty() {
            let line = Vec::new();
            return Ok(Request { line, folder, note });
        }
        let mut line = vec!["portzero".to_owned(), command.clone()];
        line.extend(self.report(program, &command, &more));
        let has_services = self.get("PORTZERO_SERVICES").is_some();
        let is_closed = more.iter().any(|word| word == "--");
        line.extend(more);
        if has_services && !is_closed {
            // A service's name is a name, whatever it looks like.
            line.push("--".into());
        }
        line.extend(self.services());
        Ok(Request { line, folder, note })
    }

    /// The command, empty where there is nothing to do, and a line that says why.
    fn subcommand(&self, program: &Command) -> Result<(String, String), Finding> {
        let Some(wanted) = self.get("PORTZERO_COMMAND") else {
            let why = self.occasion.reason();
            let (command, said) = match self.occasion.default_command() {
                DefaultCommand::Deploy => ("deploy", "portzero deploy"),
                DefaultCommand::Plan => ("plan", "portzero plan"),
                DefaultCommand::Nothing => ("", "portzero does nothing"),
            };
            let note = format!("{said}: {why} (the input `command` decides otherwise)");
            return Ok((command.into(), note));
        };
        let known: Vec<&str> = program
            .get_subcommands()
            .filter(|c| !c.is_hide_set() && c.get_name() != ENDLESS)
            .map(Command::get_name)
            .collect();
        if known.contains(&wanted.as_str()) {
            let note = format!("portzero {wanted}: the input `command` asks for it");
            return Ok((wanted, note));
        }
        let finding = refused("command", &wanted).evidence("takes", known.join(", "));
        Err(match nearest(&wanted, known) {
            Some(near) => finding.hint(format!("did you mean `{near}`?")),
            None => finding,
        })
    }

    fn no_boolean(&self, variable: &str) -> Option<Finding> {
        let value = self.get(variable).filter(|value| value != "true" && value != "false")?;
        Some(refused(&input(variable), &value).evidence("takes", "true, false"))
    }

    /// An input that the program does not act on yet.
    fn not_acted_on(&self) -> Option<Finding> {
        self.get("PORTZERO_DESIRED_COUNT")?;
        let summary =
            "the input `desired-count` is not acted on yet: portzero leaves the service's desired count as it is";
        let hint = "leave it out; auto scaling, or `aws ecs update-service --desired-count`, sets it";
        Some(Finding::usage(summary).hint(hint))
    }

    /// Trust that a command does not check is no trust.
    fn not_held(&self, program: &Command, command: &str) -> Option<Finding> {
        self.get("PORTZERO_TRUST_BASE").filter(|value| value == "true")?;
        let has_flag = |command: &Command| command.get_arguments().any(|arg| arg.get_long() == Some("trust-base"));
        let command = program.find_subcommand(command).filter(|command| !has_flag(command))?;
        let summary = format!(
            "the input `trust-base` is of deploy, plan and rehearse, and not of {}",
            command.get_name()
        );
        Some(
            Finding::usage(summary).hint("leave it out, and run this command where the files are the repository's own"),
        )
    }

    fn services(&self) -> Vec<String> {
        let services = self.get("PORTZERO_SERVICES").unwrap_or_default();
        let names = services.split(|c: char| c == ',' || c.is_whitespace());
        names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
    }

    fn arguments(&self) -> Result<Vec<String>, Finding> {
        let text = self.get("PORTZERO_ARGS").unwrap_or_default();
        shlex::split(&text).ok_or_else(|| {
            Finding::usage(
                "the input `args` cannot be split into words: a quote is not closed, or it ends in a backslash",
            )
        })
    }

    /// Where nobody wants the result document at a place of their own, it goes to a fresh file, which the job removes.
    fn report(&self, program: &Command, command: &str, more: &[String]) -> Option<String> {
        let has_flag = program
            .find_subcommand(command)?
            .get_arguments()
            .any(|arg| arg.get_long() == Some("report"));
        let is_given = self.get("PORTZERO_REPORT").is_some() || more.iter().any(|word| word.starts_with("--report"));
        let folder = self.get("RUNNER_TEMP").filter(|_| has_flag && !is_given)?;
        let mut random = [0; 8];
        getrandom::fill(&mut random).ok()?;
        let name = format!("portzero-{:016x}.json", u64::from_be_bytes(random));
        Some(format!("--report={}", PathBuf::from(folder).join(name).display()))
    }
}

/// `PORTZERO_DRY_RUN` -> `dry-run`.
fn input(variable: &str) -> String {
    match variable.strip_prefix("PORTZERO_").unwrap_or(variable) {
        // AWS's own actions call it so.
        "REGION" => "aws-region".into(),
        name => name.to_lowercase().replace('_', "-"),
    }
}

fn refused(name: &str, value: &str) -> Finding {
    Finding::usage(format!("the input `{name}` does not take `{value}`"))
}

/// The user has written inputs and no flags.
fn in_the_words_of_the_action(program: &Command, line: &[String], error: &clap::Error) -> Finding {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) => Some(texts.join(", ")),
        _ => None,
    };
    let given: Vec<&str> = line.iter().map(String::as_str).collect();
    let said = error.to_string();
    let said = said.trim_start_matches("error: ").lines().next().unwrap_or_default();
    let finding = match variables::behind(program, &given, error) {
        Some(variable) => refused(&input(&variable), &text(ContextKind::InvalidValue).unwrap_or_default()),
        None => Finding::usage(format!("the input `args` is not understood: {said}")),
    };
    let why = std::error::Error::source(error).map(ToString::to_string);
    let finding = match (text(ContextKind::ValidValue), why) {
        (Some(known), _) => finding.evidence("takes", known),
        (None, Some(why)) => finding.evidence("because", why),
        (None, None) => finding,
    };
    finding.state("nothing was changed")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::{Inputs, Request};
    use crate::adapters::github::occasion;
    use crate::cli::Cli;

    fn request(inputs: &[(&str, &str)]) -> Result<Request, String> {
        let get = |name: &str| {
            inputs
                .iter()
                .find(|(n, _)| *n == name)
                .map(|(_, value)| (*value).to_owned())
        };
        let occasion = occasion(&|name| get(name), get("EVENT").as_deref());
        let inputs = Inputs { get, occasion };
        inputs.request(&Cli::command()).map_err(|findings| {
            let words: Vec<String> = findings.into_iter().map(|finding| finding.summary).collect();
            words.join("; ")
        })
    }

    /// After a push, unless the inputs say otherwise.
    fn line(inputs: &[(&str, &str)]) -> String {
        let inputs: Vec<_> = inputs.iter().copied().chain([("GITHUB_EVENT_NAME", "push")]).collect();
        request(&inputs).unwrap().line.join(" ")
    }

    #[test]
    fn what_is_not_merged_is_planned_and_not_deployed() {
        for event in ["pull_request", "pull_request_target", "merge_group", "odd", ""] {
            assert_eq!(line(&[("GITHUB_EVENT_NAME", event)]), "portzero plan");
        }
        for event in ["push", "workflow_dispatch", "schedule"] {
            assert_eq!(line(&[("GITHUB_EVENT_NAME", event)]), "portzero deploy");
        }
        let asked = [("GITHUB_EVENT_NAME", "pull_request"), ("PORTZERO_COMMAND", "deploy")];
        assert_eq!(line(&asked), "portzero deploy");
    }

    #[test]
    fn a_pull_request_that_is_closed_leaves_nothing_to_do_unless_it_is_merged_or_a_command_is_named() {
        let closed = |merged: bool| format!(r#"{{"action":"closed","pull_request":{{"merged":{merged}}}}}"#);
        let event = ("GITHUB_EVENT_NAME", "pull_request");
        let withdrawn = request(&[event, ("EVENT", &closed(false))]).unwrap();
        assert!(withdrawn.line.is_empty());
        let words = "portzero does nothing: the pull request was closed without a merge (the input `command` decides otherwise)";
        assert_eq!(withdrawn.note, words);
        assert_eq!(line(&[event, ("EVENT", &closed(true))]), "portzero deploy");
        let asked = [event, ("EVENT", &closed(false)), ("PORTZERO_COMMAND", "status")];
        assert_eq!(line(&asked), "portzero status");
    }

    #[test]
    fn a_command_that_never_ends_or_is_this_one_is_refused() {
        for command in ["simulate", "action", "help", "deplyo", "-V"] {
            let refused = request(&[("PORTZERO_COMMAND", command)]).unwrap_err();
            assert_eq!(refused, format!("the input `command` does not take `{command}`"));
        }
    }

    #[test]
    fn services_are_names_and_args_are_words() {
        let inputs = [
            ("PORTZERO_COMMAND", "rehearse"),
            ("PORTZERO_SERVICES", "web, worker\n--speed"),
            ("PORTZERO_ARGS", "--fault 'image-pull' --seed 7"),
        ];
        assert_eq!(
            request(&inputs).unwrap().line,
            [
                "portzero",
                "rehearse",
                "--fault",
                "image-pull",
                "--seed",
                "7",
                "--",
                "web",
                "worker",
                "--speed"
            ]
        );
        let twice = [("PORTZERO_SERVICES", "web"), ("PORTZERO_ARGS", "-- worker")];
        assert_eq!(line(&twice), "portzero deploy -- worker web");
        let open = request(&[("PORTZERO_ARGS", "--fault 'image-pull")]).unwrap_err();
        assert!(open.contains("`args` cannot be split"), "{open}");
    }

    #[test]
    fn what_is_asked_for_and_not_there_is_refused() {
        let refused = request(&[("PORTZERO_DESIRED_COUNT", "2")]).unwrap_err();
        assert!(
            refused.starts_with("the input `desired-count` is not acted on yet"),
            "{refused}"
        );
    }

    #[test]
    fn a_boolean_is_true_or_false_and_everything_wrong_is_told_together() {
        assert_eq!(
            line(&[("PORTZERO_DRY_RUN", "true"), ("PORTZERO_COMMIT_STATUS", " ")]),
            "portzero deploy"
        );
        let refused = request(&[
            ("PORTZERO_DRY_RUN", "yes"),
            ("PORTZERO_HIDE_ACCOUNT_IDS", "1"),
            ("PORTZERO_DESIRED_COUNT", "3"),
        ])
        .unwrap_err();
        for name in ["hide-account-ids", "dry-run", "desired-count"] {
            assert!(refused.contains(&format!("the input `{name}`")), "{refused}");
        }
    }

    #[test]
    fn the_result_goes_to_a_fresh_file_unless_somebody_has_named_one() {
        let temp = ("RUNNER_TEMP", "/runner");
        let fresh = line(&[temp]);
        assert!(
            fresh.starts_with("portzero deploy --report=/runner/portzero-"),
            "{fresh}"
        );
        assert_ne!(fresh, line(&[temp]), "each run has its own");
        assert_eq!(line(&[temp, ("PORTZERO_REPORT", "x.json")]), "portzero deploy");
        assert_eq!(
            line(&[temp, ("PORTZERO_ARGS", "--report=x.json")]),
            "portzero deploy --report=x.json"
        );
        assert_eq!(line(&[temp, ("PORTZERO_COMMAND", "render")]), "portzero render");
    }
}
