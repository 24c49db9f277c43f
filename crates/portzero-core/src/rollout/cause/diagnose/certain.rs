//! When it is certain that a rollout fails, although ECS still tries.

use crate::base::finding::Finding;
use crate::base::time::Moment;
use crate::rollout::cause::diagnose::{Evidence, Suspect};
use crate::rollout::cause::failure::{Cause, TaskFailure};
use crate::rollout::scope::Scope;
use crate::rollout::timeouts;
use crate::rollout::view::View;

/// The fewest like failures that make a rollout hopeless which no circuit breaker ends. Three is also the smallest count
/// that AWS's own circuit breaker acts on: one failure may be an accident, two a coincidence.
const LIKE_FAILURES_MIN: usize = 3;

impl Evidence {
    /// New tasks run, and end by themselves in the same way again and again, and no breaker counts them: it begins anew
    /// with each healthy task, so that ECS goes on for ever.
    pub(crate) fn unending_loop(&self, scope: &Scope, view: &View) -> Option<Finding> {
        let alike = self
            .own_ends
            .kinds()
            .into_iter()
            .next()
            .filter(|_| self.own_ends.go_on())?;
        let counted = self.service.breaker.map_or(0, |breaker| breaker.failures as usize);
        let enough = enough(view);
        let is_looping = alike.len() >= enough && self.tasks.failures.len() >= self.tasks.overcome + enough;
        let is_uncounted = self.own_ends.count() >= counted + enough;
        (is_looping && is_uncounted).then(|| self.explained(&Suspect::Failures(alike), scope))
    }

    /// A failure that no further waiting can cure, although ECS has not given up yet.
    pub(crate) fn certain_failure(
        &self,
        scope: &Scope,
        view: &View,
        has_breaker: bool,
        now: Moment,
    ) -> Option<Finding> {
        if self.registration.is_hopeless(view) {
            return Some(self.explained(&Suspect::Registration, scope));
        }
        let alike = |failure: &TaskFailure| {
            let label = failure.cause.label();
            let all = self.tasks.failures.values().filter(|f| f.cause.label() == label);
            Suspect::Failures(all.collect())
        };
        // Where a sibling runs, the image is there, and one instance's trouble is not the revision's.
        let idle = view.running() == 0;
        if let Some(found) = self
            .tasks
            .failures
            .values()
            .find(|f| f.cause.is_final())
            .filter(|_| idle)
        {
            return Some(self.explained(&alike(found), scope));
        }
        let is_spent = |since: Moment| now.since(since) >= timeouts::START_PATIENCE;
        if self.tasks.not_starting_since.is_some_and(is_spent) {
            let stuck: Vec<_> = self
                .tasks
                .failures
                .values()
                .filter(|f| f.cause.is_before_start())
                .collect();
            if stuck.len() > 1 {
                return Some(self.explained(&alike(stuck[0]), scope));
            }
        }
        // With a circuit breaker ECS itself gives up soon and says so; its word is worth the wait.
        let main = self.tasks.kinds().into_iter().next().filter(|_| !has_breaker)?;
        let past = match main[0].cause {
            Cause::PortInUse { .. } => self.tasks.overcome.max(self.tasks.beside_old),
            _ => self.tasks.overcome,
        };
        let enough = enough(view);
        let is_hopeless = main.len() >= enough && self.tasks.failures.len() >= past + enough;
        is_hopeless.then(|| self.explained(&Suspect::Failures(main), scope))
    }
}

/// More than a whole batch of tasks, so that tasks which were started together and died together count as the one
/// failure that they may be.
fn enough(view: &View) -> usize {
    LIKE_FAILURES_MIN.max(view.desired as usize + 1)
}
