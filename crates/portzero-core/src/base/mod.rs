//! Names, times, findings: the words that everything else is said in.

pub mod backoff;
pub mod choice;
pub mod finding;
pub mod id;
pub mod text;
pub mod time;
