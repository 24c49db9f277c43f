//! What the world outside has been seen to write: task definitions in the field, answers of AWS.
//!
//! The project has files of its own, with the traits of the real ones and nobody's data. Where a collection of real ones
//! stands beside the project, in the same numbers, the same checks are run over that as well.

use std::path::{Path, PathBuf};

/// A folder of files whose names begin with a number.
#[derive(Clone, Debug)]
pub struct Source {
    folder: PathBuf,
    /// The project's own files, which are always there.
    pub is_own: bool,
}

/// Task definitions.
pub fn task_definitions() -> Vec<Source> {
    sources("tests/fixtures/corpus", "../shared/corpus/task-definitions")
}

/// Answers of AWS, and event logs of whole rollouts.
pub fn answers() -> Vec<Source> {
    sources("tests/fixtures/answers", "../shared/recordings")
}

fn sources(own: &str, collected: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let source = |folder: &str, is_own| Source {
        folder: root.join(folder),
        is_own,
    };
    let mut all = vec![source(own, true), source(collected, false)];
    all.retain(|source| source.is_own || source.folder.is_dir());
    all
}

impl Source {
    /// Number, name and text of each file.
    pub fn files(&self) -> Vec<(String, String, String)> {
        let entries = std::fs::read_dir(&self.folder).unwrap_or_else(|e| panic!("{}: {e}", self.folder.display()));
        let mut files: Vec<_> = entries
            .filter_map(|entry| {
                let path = entry.expect("an entry").path();
                let name = path.file_name()?.to_string_lossy().into_owned();
                let (number, _) = name.split_once('-')?;
                let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{name}: {e}"));
                Some((number.to_owned(), name, text))
            })
            .collect();
        files.sort();
        files
    }

    /// Name and text of the file with that number.
    pub fn numbered(&self, number: &str) -> (String, String) {
        let found = self.files().into_iter().find(|(own, ..)| own == number);
        let (_, name, text) = found.unwrap_or_else(|| panic!("{}: no {number}", self.folder.display()));
        (name, text)
    }
}
