//! Reading files of the user's: every failure names the file and the reason.

use std::path::{Path, PathBuf};
use std::string::FromUtf8Error;

use portzero_core::base::finding::{Code, Finding, Location};
use portzero_core::base::position::Position;
use portzero_core::file_kind;
use portzero_core::task_definition::{Document, Format};

use crate::adapters::file;

/// The names that are tried in the working folder.
const CONFIG_NAMES: [&str; 2] = ["portzero.yml", "deployfish.yml"];
/// Larger than any sensible file of this kind; each reader has a tighter limit of its own.
const FILE_MAX: u64 = 8 * 1024 * 1024;

/// The configuration file: the one that was named, else the first that is there.
pub(super) fn config_path(named: Option<&Path>) -> Option<PathBuf> {
    match named {
        Some(path) => Some(path.to_owned()),
        None => CONFIG_NAMES.iter().map(PathBuf::from).find(|path| path.is_file()),
    }
}

/// A file as text.
pub(super) fn read(path: &Path) -> Result<String, Finding> {
    let name = path.display();
    let absent = |why: std::io::Error| Finding::error(Code::Config, format!("{name} cannot be read: {why}"));
    let cannot = |why: String| Finding::error(Code::Syntax, format!("{name} cannot be read: {why}"));
    let size = std::fs::metadata(path).map_err(absent)?.len();
    if size > FILE_MAX {
        return Err(cannot(format!("it has {size} bytes, and {FILE_MAX} are the limit")));
    }
    // That size is no bound: a device or a pipe has none, and a file may grow.
    let bytes = file::read(path, FILE_MAX).map_err(absent)?;
    if u64::try_from(bytes.len()).is_ok_and(|size| size > FILE_MAX) {
        return Err(cannot(format!(
            "it has more than {FILE_MAX} bytes, which are the limit"
        )));
    }
    let text = String::from_utf8(bytes).map_err(|error| not_utf8(&name.to_string(), &error))?;
    // Every character of UTF-8 may be text, but this one.
    match text.find('\0') {
        Some(at) => Err(with_nul(&name.to_string(), &text, at)),
        None => Ok(text),
    }
}

fn with_nul(name: &str, text: &str, at: usize) -> Finding {
    let known = file_kind::not_text(text.as_bytes());
    let what = known.map_or_else(|| "it holds a NUL byte".to_owned(), |(what, _)| format!("it is {what}"));
    Finding::error(Code::Syntax, format!("{name} is not text: {what}"))
        .at(Position::of(text, at).in_file(name))
        .hint(known.map_or("save the file as UTF-8", |(_, hint)| hint))
}

/// Where the text ends, and what the file may be instead.
fn not_utf8(name: &str, error: &FromUtf8Error) -> Finding {
    let bytes = error.as_bytes();
    let good = String::from_utf8_lossy(&bytes[..error.utf8_error().valid_up_to()]);
    let location = Location {
        file: name.to_owned(),
        line: good.matches('\n').count() + 1,
        column: good.rsplit('\n').next().unwrap_or_default().chars().count() + 1,
    };
    let known = file_kind::not_text(bytes);
    let what = known.map_or_else(String::new, |(what, _)| format!(", but {what}"));
    let hint = known.map_or("save the file as UTF-8", |(_, hint)| hint);
    Finding::error(Code::Syntax, format!("{name} is not UTF-8 text{what}"))
        .at(location)
        .hint(hint)
}

/// A task definition file.
pub(super) fn task_definition(path: &Path) -> Result<Document, Vec<Finding>> {
    let text = read(path).map_err(|finding| vec![finding])?;
    let name = path.display().to_string();
    Document::read(&text, &name, Format::of(&name))
}
