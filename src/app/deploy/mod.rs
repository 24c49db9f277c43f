//! Executes plans and drives the observers: the only loop in the program.
//!
//! * `run`: the world that a run works in; `service_run`: what it leaves of one service
//! * `planning`: one service's plan, before anything is changed, and again for a service that had to wait
//! * `order`: which service waits for which (`depends_on`)
//! * `busy`: another deployment of the service that is in progress is waited for
//! * `change`: what is changed in AWS: a revision, and one UpdateService
//! * `going_back`: back to what ran before, after a failure, a signal, or on demand
//! * `revisions`: those that nobody needs any more
//! * `attach`: what is there to follow for a run that did not begin it
//! * `stage`: where each service of the run stands
//! * `pace`: when the loop looks again
//! * `turns`: the loop: begin what may begin, look, judge, sleep
//! * `last_words`: what a container printed before it failed
//! * `words`: the findings of this module
//!
//! There are no tasks beside each other. Each service is a small state machine, and one loop takes all of them a step
//! further: a virtual clock moves when somebody sleeps, so there is one sleeper.

mod attach;
mod busy;
mod change;
mod last_words;
pub mod order;
mod pace;
mod planning;
mod revisions;
mod rollback;
mod run;
mod service_run;
mod service_state;
mod turns;
mod words;

pub use attach::{Watch, scope as scope_of_found, unseen};
pub use pace::Pace;
pub use planning::{Unplanned, check_documents, interrupted, plan, plan_all};
pub use run::Run;
pub use service_run::{ServiceRun, causes, overall};
pub use words::{interrupted_before_a_look, of_service};
