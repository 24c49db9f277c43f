//! Writing to the files that GitHub's runner reads: `GITHUB_OUTPUT` and `GITHUB_STEP_SUMMARY`.

use std::fs::{File, OpenOptions};
use std::io;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use crate::cli::streams;
use crate::report::env_file;
use crate::report::redact::Redaction;

/// A summary beyond this is dropped as a whole. The runner counts the bytes of the file, whoever wrote them.
const SUMMARY_BYTES_MAX: u64 = 1024 * 1024;

/// Appends outputs, all or none, without what must not be seen: a job's outputs are shown to everybody who may read it, and
/// the runner drops those in which it finds a secret.
///
/// # Errors
/// A name or a value is refused, or the file cannot be written.
pub fn append_outputs(path: &Path, pairs: &[(&str, String)]) -> io::Result<()> {
    let mut entropy = [0; 16];
    getrandom::fill(&mut entropy).map_err(io::Error::other)?;
    // What a later step is to work with must be whole: an ARN without its account is none.
    let redaction = Redaction {
        hides_account_ids: false,
        ..streams::redaction_on_github().as_ref().clone()
    };
    let pairs: Vec<(&str, String)> = pairs
        .iter()
        .map(|(name, value)| (*name, redaction.whole(value)))
        .collect();
    let entries = env_file::entries(&pairs, &env_file::delimiter(entropy)).map_err(io::Error::other)?;
    append(path, &entries)
}

/// Appends Markdown, as much of it as GitHub still takes.
///
/// # Errors
/// The file cannot be written.
pub fn append_summary(path: &Path, markdown: &str) -> io::Result<()> {
    let taken = match std::fs::metadata(path) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(error) => return Err(error),
    };
    // One byte for the line end that may be missing there.
    let room = SUMMARY_BYTES_MAX.saturating_sub(taken + 1);
    append(
        path,
        &env_file::summary(markdown, usize::try_from(room).unwrap_or(usize::MAX)),
    )
}

/// In one write, so that nobody else's line comes between, and on a line of its own.
fn append(path: &Path, text: &str) -> io::Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
    let gap = if ends_a_line(&mut file)? { "" } else { "\n" };
    file.write_all(format!("{gap}{text}").as_bytes())
}

fn ends_a_line(file: &mut File) -> io::Result<bool> {
    if file.seek(SeekFrom::End(0))? == 0 {
        return Ok(true);
    }
    let mut last = [0; 1];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}
