//! The CI system around the process: its inputs, its files, its identity tokens.

pub(crate) mod actions;
pub mod files;
pub(crate) mod identity;
pub(crate) mod inputs;
