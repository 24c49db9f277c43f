//! What AWS shows, as far as a deployment needs it, and how a call to it can fail.

pub mod api_error;
mod aws_enum;
pub mod failed_call;
pub mod service;
pub mod target;
pub mod task;
