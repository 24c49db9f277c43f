//! The ports of a run, held together.

use std::future::Future;
use std::time::Duration;

use portzero_core::base::time::Moment;
use portzero_core::port::{Clock, Ecs, Interrupts, LoadBalancing, Logs};

/// All of AWS that a deployment calls.
pub trait Aws: Ecs + LoadBalancing + Logs {}

impl<A: Ecs + LoadBalancing + Logs> Aws for A {}

/// What a run needs of the world: AWS or the simulator, a clock, and interrupts.
#[derive(Debug)]
pub struct Ports<'a, A, C, I> {
    pub aws: &'a A,
    pub clock: &'a C,
    pub interrupts: &'a I,
}

impl<A, C, I> Clone for Ports<'_, A, C, I> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A, C, I> Copy for Ports<'_, A, C, I> {}

impl<A, C: Clock, I: Interrupts> Ports<'_, A, C, I> {
    pub fn now(&self) -> Moment {
        self.clock.now()
    }

    /// See [`unless_interrupted`].
    pub async fn unless_interrupted<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        unless_interrupted(self.interrupts, work).await
    }

    pub async fn is_interrupted(&self) -> bool {
        self.unless_interrupted(std::future::ready(())).await.is_none()
    }

    /// The answer to a change; `None` where the run is asked to end and cannot wait for it any longer. A signal alone
    /// does not let a change go: what came of it is to be told.
    pub async fn in_time<T>(&self, answer: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            answer = answer => Some(answer),
            () = self.interrupts.out_of_time() => None,
        }
    }

    /// What the work comes to; `None` where the time comes first. For work that changes nothing: it is dropped in the middle
    /// of a call.
    pub async fn before<T>(&self, at: Moment, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.clock.reached(at) => None,
            done = work => Some(done),
        }
    }

    /// A signal ends it.
    pub async fn sleep(&self, span: Duration) {
        self.unless_interrupted(self.clock.sleep(span)).await;
    }
}

/// What the work comes to; `None` where a signal comes first. For work that changes nothing: it is dropped in the middle
/// of a call.
pub async fn unless_interrupted<T>(interrupts: &impl Interrupts, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        () = interrupts.interrupted() => None,
        done = work => Some(done),
    }
}
