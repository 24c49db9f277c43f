pub mod finding;
pub mod id;
pub mod service;
pub mod target;
pub mod task;
pub mod time;

pub mod event;
pub mod port;

pub mod sim;
