//! How long the observer waits for what, and why no longer.

use std::time::Duration;

/// Between two looks while something moves: short against ECS's own pace of about ten seconds.
pub(crate) const POLL_FAST: Duration = Duration::from_secs(2);
/// Between two looks while nothing moves (a drain): half of ECS's pace is as good as any.
pub(crate) const POLL_SLOW: Duration = Duration::from_secs(5);
/// Between two looks while nothing is waited for but a deregistration delay with a while to go: ECS and the load balancer
/// wait as well, so that a look would only show what is known.
pub(crate) const POLL_DRAIN: Duration = Duration::from_secs(10);
/// How long after the last change things count as moving: two rounds of ECS's scheduler.
pub(crate) const MOVING_FOR: Duration = Duration::from_secs(20);
/// A log that stays silent for longer looks hung.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(30);
/// An answer without our deployment may be an old one. AWS speaks of seconds; the documentation advises to back off
/// from "a couple of seconds", so ten times that is no longer an old answer.
pub(crate) const ABSENT_MAX: Duration = Duration::from_secs(20);
/// ECS tries to place a task every ten seconds or so. Four rounds without any movement are no accident, and nobody adds
/// an instance by hand in less.
pub(crate) const PLACEMENT_PATIENCE: Duration = Duration::from_secs(45);
/// A capacity provider may add an instance, which takes minutes to boot and join; and where the books show room that
/// ECS does not use, the books or ECS may come round.
pub(crate) const SCALING_PATIENCE: Duration = Duration::from_secs(300);
/// A registry or a secret that is not reached may be reached a moment later, and ECS tries again: after half a minute the
/// second and the third time, then after five minutes (recorded), and a try that runs into its time-outs takes nearly five
/// minutes by itself (recorded: 288 s). After five minutes without any task running, at least one full try or three
/// short ones have failed; what still fails then is a way that is closed and no outage that passes. A refusal ("not
/// found", "denied") is final at once, and waits for nothing.
pub(crate) const START_PATIENCE: Duration = Duration::from_secs(300);
/// Throttling and outages of the API pass; five minutes is longer than any that a rollout should be blind through.
pub(crate) const BLIND_MAX: Duration = Duration::from_secs(300);
/// Expired credentials and denials do not heal by themselves; a little patience covers IAM's own propagation.
pub(crate) const DENIED_MAX: Duration = Duration::from_secs(30);
/// Rules that lead elsewhere are read once more after this long: AWS's answers are a few seconds old at most, and a shift
/// of ECS's is no more than that.
pub(crate) const RULES_ARE_BELIEVED_AFTER: Duration = Duration::from_secs(10);
/// What is said to be gone is asked for again for this long before that is believed.
pub(crate) const GONE_IS_BELIEVED_AFTER: Duration = Duration::from_secs(10);
/// For how long an answer may lack a deployment that UpdateService has returned.
pub(crate) const UNLISTED_MAX: Duration = Duration::from_secs(60);
/// A service deployment that is being stopped is followed by its reason: a newer PRIMARY or a rollback.
pub(crate) const STOP_EXPLAINS_ITSELF_WITHIN: Duration = Duration::from_secs(60);
/// A breaker with rollback shows FAILED for a moment before the rollback begins.
pub(crate) const ROLLBACK_BEGINS_WITHIN: Duration = Duration::from_secs(60);
/// A look stands for what came after it for so much longer than the pace of the looks: where another deployment takes over
/// later than that, nobody has seen how ours was left.
pub(crate) const LOOK_STANDS_FOR: Duration = Duration::from_secs(60);
/// A way back is followed for at least as long as a rollout is by default: somebody who gives up on a rollout early wants
/// to know all the same that the service is well again.
pub(crate) const WAY_BACK_AT_LEAST: Duration = Duration::from_secs(600);
/// A task that ended by itself is no sign of a bad start where it had lived for longer than a rollout takes by default;
/// to wait for as long would show nothing that the end of any old task does not.
pub(crate) const OUTLIVE_MAX: Duration = Duration::from_secs(600);
