//! What some tests need beside Rust, and whether it is at hand.
//!
//! Where it is not, such a test passes without having checked anything, and `tests/suite/summary.rs` counts it at the end.
//! `PORTZERO_REQUIRE_CLIENTS=1` makes that a failure.

use std::process::Command;

use super::command::scrubbed;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    AwsCli,
    Boto3,
    Moto,
    MiniStack,
    EcsDeploy,
    Deployfish,
    Prism,
}

impl Need {
    pub fn name(self) -> &'static str {
        match self {
            Self::AwsCli => "the AWS CLI",
            Self::Boto3 => "boto3 1.44",
            Self::Moto => "moto's server",
            Self::MiniStack => "MiniStack",
            Self::EcsDeploy => "ecs-deploy",
            Self::Deployfish => "deployfish",
            Self::Prism => "Prism with GitHub's description",
        }
    }

    /// Whether a test can go on.
    pub fn is_met(self) -> bool {
        let is_there = self.is_at_hand();
        assert!(
            is_there || !are_required(),
            "{} is required and does not run",
            self.name()
        );
        is_there
    }

    pub fn is_at_hand(self) -> bool {
        let arguments: &[&str] = match self {
            Self::AwsCli => &["aws", "--version"],
            // Since 1.44 its models know gateways and Express services.
            Self::Boto3 => &["python3", "-c", IS_BOTO3_THERE],
            Self::Moto => &["moto_server", "--help"],
            Self::MiniStack => &["ministack", "--help"],
            Self::EcsDeploy => &["ecs", "--help"],
            Self::Deployfish => &["deploy", "--help"],
            Self::Prism => &["node", "-e", IS_PRISM_THERE],
        };
        let probe = other_program(arguments[0])
            .args(&arguments[1..])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output();
        probe.is_ok_and(|output| output.status.success())
    }
}

const IS_BOTO3_THERE: &str = "import boto3; assert [int(part) for part in boto3.__version__.split('.')[:2]] >= [1, 44]";

const IS_PRISM_THERE: &str = "for (const it of ['node_modules/@stoplight/prism-cli/dist/index.js', 'github.json']) \
                              require('fs').accessSync('target/ci-node/' + it)";

#[expect(
    clippy::disallowed_methods,
    reason = "whether something lacking is a failure is the machine's to say"
)]
pub fn are_required() -> bool {
    std::env::var("PORTZERO_REQUIRE_CLIENTS").is_ok_and(|value| value == "1")
}

/// Somebody else's program: it finds its packages by the user's home.
pub fn other_program(program: &str) -> Command {
    let mut command = scrubbed(program);
    command.envs(std::env::var_os("HOME").map(|home| ("HOME", home)));
    command
}
