//! `portzero` ships a container to an Amazon ECS service behind a load balancer, and does not say done until the load
//! balancer agrees.
//!
//! The modules from top to bottom; each imports only from those above it, and a test keeps it so. ARCHITECTURE.md tells
//! the ideas behind them, the invariants, and where to make which change.
//!
//! | Layer | Modules | |
//! |---|---|---|
//! | domain | [`finding`], [`id`], [`time`], [`nearest`], [`api_error`], [`failed_call`] | words that everything is said in |
//! | | [`service`], [`task`], [`target`] | what AWS shows, as far as a deployment needs it |
//! | | [`task_definition`] | the user's document: read, rendered, compared, checked |
//! | | [`rollout`] | the observer: from snapshots to a verdict |
//! | | [`preflight`], [`forecast`], [`conduct`], [`plan`] | what is known, expected and intended before the first change |
//! | | [`pull_request`] | where a run speaks on GitHub |
//! | | [`event`] | the one vocabulary of what a run tells |
//! | ports | [`port`] | what the application needs of the world |
//! | application | [`survey`], [`deploy`] | the only loops in the program |
//! | | [`announce`] | what a run tells on GitHub |
//! | edges | [`sim`] | the embedded simulator |
//! | | [`aws`], [`github`], [`clock`] | the real world |
//! | | [`report`] | from events and results to words |
//! | | [`config`] | `portzero.yml` and deployfish's files |
//! | command line | [`cli`] | the environment is read here, once |

pub mod adapters;
pub mod app;
pub mod report;

pub mod config;

pub mod cli;
