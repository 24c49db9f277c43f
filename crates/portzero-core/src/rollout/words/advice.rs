//! Advice that is given in several places, and taken back in one: where the run itself has done what it advises.

use crate::base::finding::{Hint, HintKind};
use crate::base::id::TaskDefinitionArn;
use crate::rollout::scope::Scope;

/// Go back to what ran before, by hand.
pub(crate) fn go_back(scope: &Scope, previous: &TaskDefinitionArn) -> Hint {
    let text = format!(
        "to end that, go back to what ran: aws ecs update-service --cluster {} --service {} --task-definition {}",
        scope.cluster,
        scope.service,
        previous.short()
    );
    Hint::new(HintKind::GoBack, text)
}

/// Follow the rollout again.
pub(crate) fn follow_again(scope: &Scope) -> Hint {
    Hint::new(HintKind::FollowAgain, format!("wait on: {}", scope.observe_command()))
}

/// Give it more time; `more` is what stands behind that, with what joins it.
pub(crate) fn wait_longer(more: &str) -> Hint {
    Hint::new(HintKind::WaitLonger, format!("set a longer `--timeout`{more}"))
}
