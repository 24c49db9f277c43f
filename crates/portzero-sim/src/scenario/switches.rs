//! Named switches for what the evidence leaves open: each has both behaviours, and says what speaks for which.

use serde::Deserialize;

/// `switches:` of a scenario file. The timings `completion_waits_for_drain` and `early_port_reuse` are of the same kind.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// An unhealthy task is stopped before its replacement is started, even where there is room for one more.
    ///
    /// Off: one recorded service (ALB, 2026) and the Developer Guide start the replacement first. On: another recorded
    /// service (2025, maximum 200 %) stopped first; a forced deployment may overlap there.
    pub unhealthy_stop_first: bool,
    /// While a rollout goes on, crashed tasks of the old revision are replaced by tasks of the old revision.
    ///
    /// On: a recorded ACTIVE deployment keeps its desired count while it is short of a task, and is touched less than a
    /// second before each replacement is started. Off: no recording names the revision of such a replacement.
    pub crashed_old_tasks_return: bool,
    /// Tasks that are being stopped count for the maximum until they have stopped.
    ///
    /// Off: a replacement was started 0.85 s after the stop was decided, while the old task still drained. On: the
    /// Developer Guide says `PENDING, RUNNING, or STOPPING`.
    pub stopping_counts_for_maximum: bool,
    /// The first task of a deployment starts alone, because it settles the images' digests for the others.
    ///
    /// On: the Developer Guide says so. Off: two tasks were seen to start together.
    pub first_task_starts_alone: bool,
    /// The circuit breaker also watches blue/green, linear and canary deployments.
    ///
    /// On: an acceptance test against AWS sees a blue/green deployment rolled back by it. Off: the API reference calls
    /// it a thing of rolling updates only.
    pub breaker_in_every_strategy: bool,
    /// Where DescribeTasks shows the addresses of a task in awsvpc mode.
    ///
    /// `everywhere`: recorded, in the task's attachment and in the network interfaces of its containers. The others are
    /// known from emulators of AWS; the API reference promises neither place.
    pub addresses: ShownAddresses,
    /// DescribeTargetHealth writes an IPv6 address in full, `2600:1f18:03aa:1000:0000:0000:0000:0005`.
    ///
    /// No recording has one. The API reference takes either form and does not say which one it returns.
    pub ipv6_in_full: bool,
    /// `startedBy` of a service's tasks is the name of the service, and not the id of a deployment.
    ///
    /// Off: recorded. On: known from emulators of AWS.
    pub started_by_service: bool,
}

/// Where the addresses of a task are shown.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum ShownAddresses {
    /// In its attachment, and in each of its containers.
    #[default]
    Everywhere,
    /// In its attachment alone.
    Attachments,
    /// In no place.
    Nowhere,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            unhealthy_stop_first: false,
            crashed_old_tasks_return: true,
            stopping_counts_for_maximum: false,
            first_task_starts_alone: false,
            breaker_in_every_strategy: true,
            addresses: ShownAddresses::Everywhere,
            ipv6_in_full: false,
            started_by_service: false,
        }
    }
}
