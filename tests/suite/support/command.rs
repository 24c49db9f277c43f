//! How every test starts a program: with nothing of this machine's environment but what a program needs to run at all.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

/// The program under test.
pub const PORTZERO: &str = env!("CARGO_BIN_EXE_portzero");

/// Where programs are, what Windows cannot start one without, and where a build that measures coverage writes.
const NEEDED: [&str; 3] = ["PATH", "SYSTEMROOT", "LLVM_PROFILE_FILE"];

/// A program without the environment of this machine, and without an input.
pub fn scrubbed(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env_clear().stdin(Stdio::null());
    for name in NEEDED {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
}

/// `portzero` in that folder, which is its home as well.
pub fn portzero(folder: &Path) -> Command {
    let mut command = scrubbed(PORTZERO);
    command
        .current_dir(folder)
        .env("HOME", folder)
        .env("AWS_EC2_METADATA_DISABLED", "true");
    command
}
