//! Which of the lines that ECS writes about a service are news to somebody who watches its tasks and targets.

/// The events of an ordinary rollout only repeat what the tasks and targets already show.
pub(crate) fn is_unusual(message: &str) -> bool {
    const ORDINARY: [&str; 9] = [
        "has reached a steady state",
        "registered ",
        "has begun draining connections",
        "has stopped",
        "has started",
        "deployment completed",
        "is AZ balanced",
        "rolling back to deployment",
        "stopped 1 pending",
    ];
    !ORDINARY.iter().any(|words| message.contains(words))
}
