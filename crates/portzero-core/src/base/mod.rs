//! Names, times, findings: the words that everything else is said in.

pub mod backoff;
pub mod choice;
pub(crate) mod evidence_label;
pub mod finding;
pub mod hint;
pub mod id;
pub mod position;
pub mod text;
pub mod time;
