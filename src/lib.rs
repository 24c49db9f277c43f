pub mod api_error;
pub mod event;
pub mod finding;
pub mod id;
pub mod rollout;
pub mod service;
pub mod target;
pub mod task;
pub mod task_definition;
pub mod time;

pub mod port;

pub mod aws;
pub mod clock;
pub mod sim;
