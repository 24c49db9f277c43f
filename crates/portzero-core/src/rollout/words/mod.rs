//! The sentences in which a rollout ends.

pub(crate) mod advice;
pub(crate) mod gone;
pub(crate) mod last_look;
pub(crate) mod managed;
pub(crate) mod stage;
pub(crate) mod traffic;
pub(crate) mod verdict;
