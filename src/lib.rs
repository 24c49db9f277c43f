//! placeholder
pub mod api_error;
pub mod event;
pub mod finding;
pub mod forecast;
pub mod id;
pub mod nearest;
pub mod plan;
pub mod preflight;
pub mod rollout;
pub mod service;
pub mod target;
pub mod task;
pub mod task_definition;
pub mod time;

pub mod port;

pub mod deploy;
pub mod survey;

pub mod sim;

pub mod aws;
pub mod clock;

pub mod report;

pub mod config;

pub mod cli;
