//! The only loops in the program: a world is surveyed, deployments are carried out and observed, and GitHub is told.

pub mod announce;
pub mod deploy;
pub mod ports;
pub mod rollback;
pub mod survey;
