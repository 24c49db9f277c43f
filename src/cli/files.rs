//! Reading files of the user's: every failure names the file and the reason.

use std::path::{Path, PathBuf};
use std::string::FromUtf8Error;

use portzero_core::base::finding::{Code, Finding, Location};
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
    String::from_utf8(bytes).map_err(|error| not_utf8(&name.to_string(), &error))
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
    let is_utf16 = bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]);
    let hint = if is_utf16 {
        "it begins as UTF-16 does, which PowerShell's `>` writes: save it as UTF-8"
    } else {
        "save the file as UTF-8"
    };
    Finding::error(Code::Syntax, format!("{name} is not UTF-8 text"))
        .at(location)
        .hint(hint)
}

/// A task definition file.
pub(super) fn task_definition(path: &Path) -> Result<Document, Vec<Finding>> {
    let text = read(path).map_err(|finding| vec![finding])?;
    let name = path.display().to_string();
    Document::read(&text, &name, Format::of(&name))
}
