//! The real world behind the ports: AWS, GitHub, the clock, signals.

pub mod aws;
pub mod clock;
pub mod github;
pub(crate) mod signals;
pub(crate) mod watch;
