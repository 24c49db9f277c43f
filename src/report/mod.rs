//! Reporters: from the one vocabulary of events and results to words. Nothing here decides anything.

pub mod annotation;
pub mod env_file;
pub mod finding;
pub mod internal_error;
pub mod line;
pub mod log;
pub mod markdown;
pub mod outputs;
pub mod page;
pub mod plan;
pub mod redact;
pub mod result;
pub mod rollout_event;
pub mod status;
pub mod text;
pub mod timeline;
