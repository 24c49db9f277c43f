//! The AWS side of the ports: Amazon ECS and Elastic Load Balancing through the AWS SDK.
//!
//! * `connection`: how the clients are set up, and what one run shares
//! * `environment`: what this machine says about AWS, and the way there
//! * `web_identity`: the role that is assumed with the token of the workflow run, again and again
//! * `call`: one call: counted, classified, retried under this program's own rules (the SDK's retries are off)
//! * `caller`: whose credentials they are
//! * `budget`: what a run allows itself, so that AWS need not turn it away
//! * `error`: what the SDK reports, turned into [`ApiError`](portzero_core::port::ApiError)
//! * `document`: task definitions as the raw JSON that goes over the wire
//! * `tolerant`: a second reading of answers whose members have other JSON types than AWS's model
//! * `ecs`, `balancing` (with `routing`), `logs`: the ports; `read_ecs`, `read_strategy`, `read_classic`: the SDK's types turned into the
//!   domain's

mod balancing;
mod budget;
mod call;
mod caller;
mod connection;
mod document;
mod ecs;
mod environment;
mod error;
mod logs;
pub mod read;
mod read_classic;
mod read_ecs;
mod read_managed;
mod read_strategy;
mod routing;
mod tolerant;
mod web_identity;

pub use connection::{Connection, ConnectionOptions, Secrets, StaticCredentials};
pub use environment::{Environment, check_region};
pub use web_identity::{RoleArn, SessionDuration, SessionName, TokenRequest, TokenSource, WebIdentity};
