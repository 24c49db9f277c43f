//! The real world behind the ports: AWS, GitHub, the clock, signals; and files and streams that may hold one up.

pub mod aws;
pub mod clock;
pub(crate) mod file;
pub mod github;
pub(crate) mod outlet;
pub(crate) mod signals;
pub(crate) mod watch;
