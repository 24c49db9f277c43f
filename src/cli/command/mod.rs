//! One file a command.

pub(crate) mod deploy;
pub(crate) mod init;
pub(crate) mod observe;
pub(crate) mod plan;
pub(crate) mod rehearse;
pub(crate) mod render;
pub(crate) mod rollback;
pub(crate) mod simulate;
pub(crate) mod status;
