//! Why a rollout fails: AWS's own words are recognised, weighed and explained.

pub(crate) mod container_facts;
pub(crate) mod culprit;
pub(crate) mod diagnose;
pub(crate) mod exit_code;
pub mod failure;
pub mod placement;
pub mod resource;
pub(crate) mod service_event;
