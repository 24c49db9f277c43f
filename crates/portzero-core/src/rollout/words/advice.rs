//! Advice that is given in several places, and taken back in one: where the run itself has done what it advises.

use crate::base::finding::{Hint, HintKind};
use crate::base::text::shell;
use crate::rollout::scope::Scope;

/// Go back to what ran well, by hand. `None`: nothing is known to have, but for the revision that is blamed.
pub(crate) fn go_back(scope: &Scope) -> Option<Hint> {
    let good = scope.way_back()?;
    let text = format!(
        "to end that, go back to what ran: portzero rollback --cluster {} --service {} --to {}",
        shell(&scope.cluster),
        shell(&scope.service),
        shell(good.short())
    );
    Some(Hint::new(HintKind::GoBack, text))
}

/// Follow the rollout again.
pub(crate) fn follow_again(scope: &Scope) -> Hint {
    Hint::new(HintKind::FollowAgain, format!("wait on: {}", scope.observe_command()))
}

/// Give it more time; `more` is what stands behind that, with what joins it.
pub(crate) fn wait_longer(more: &str) -> Hint {
    Hint::new(HintKind::WaitLonger, format!("set a longer `--timeout`{more}"))
}

/// What ECS does at the circuit breaker's threshold, where its rollback is off.
pub(crate) const STOPS: &str = "ECS stops and does not roll back";
