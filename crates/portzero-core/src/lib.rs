//! The domain of portzero: what AWS shows, what a deployment plans, and how a rollout is judged. It is pure: it reads no
//! clock, no environment and no file, and it knows no network. Time is an input.
//!
//! | Folder | What is in it |
//! |---|---|
//! | [`base`] | names, times, findings: the words that everything else is said in |
//! | [`aws_model`] | services, tasks and targets as AWS shows them, and how a call can fail |
//! | [`task_definition`] | the user's document: read, checked, rendered, compared |
//! | [`file_kind`] | what a file is that was given as something else |
//! | [`yaml`] | the one reader of YAML: every value knows its place |
//! | [`rollout`] | the observer: from snapshots to a verdict with its cause |
//! | [`plan`] | what is known, wrong and expected before the first change |
//! | [`policy`] | what the user wants besides deploying: busy services, failures, old revisions |
//! | [`pull_request`] | where a run speaks on GitHub |
//! | [`values`] | exact values that must not be shown, found in every encoding |
//! | [`event`], [`port`] | what a run reports, and what it needs of the world |

#![warn(missing_docs, unreachable_pub, unnameable_types)]

pub mod aws_model;
pub mod base;
pub mod event;
pub mod file_kind;
pub mod plan;
pub mod policy;
pub mod port;
pub mod pull_request;
pub mod rollout;
pub mod task_definition;
#[cfg(test)]
mod test_builders;
pub mod values;
pub mod yaml;
