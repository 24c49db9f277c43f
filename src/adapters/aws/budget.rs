//! What a run allows itself: token buckets a little under AWS's own, so that it waits before AWS turns it away.
//!
//! AWS counts by account and region, and a connection has one of each. Other clients draw from the same buckets, so AWS may
//! throttle all the same: then ours is taken for empty too.
//!
//! The simulator has buckets of its own (`wire/throttle.rs` of portzero-sim) that look much like these. The two must not
//! share code: the simulator judges this client, and a mistake in common would hide itself.

use std::collections::BTreeMap;
use std::time::Duration;

use portzero_core::base::time::Moment;

/// The part of AWS's published rates that one run uses: the rest is for people at the console and for ECS's neighbours.
const SHARE: f64 = 0.75;

/// A bucket's name, how many calls it holds, and how many come back a second.
/// Sources: ECS API reference, "Request throttling"; Elastic Load Balancing, "API throttling"; 2026.
const CLASSES: &[(&str, f64, f64, &[&str])] = &[
    (
        "task definition changes",
        20.0,
        1.0,
        &["ecs:RegisterTaskDefinition", "ecs:DeregisterTaskDefinition"],
    ),
    (
        "task definition reads",
        50.0,
        20.0,
        &["ecs:DescribeTaskDefinition", "ecs:ListTaskDefinition"],
    ),
    (
        "service changes",
        50.0,
        5.0,
        &["ecs:CreateService", "ecs:UpdateService", "ecs:DeleteService"],
    ),
    (
        "service deployments",
        50.0,
        20.0,
        &["ecs:DescribeServiceDeployments", "ecs:ListServiceDeployments"],
    ),
    ("service revisions", 50.0, 20.0, &["ecs:DescribeServiceRevisions"]),
    ("services", 100.0, 20.0, &["ecs:DescribeServices", "ecs:ListServices"]),
    (
        "tasks and instances",
        100.0,
        20.0,
        &[
            "ecs:DescribeTasks",
            "ecs:ListTasks",
            "ecs:DescribeContainerInstances",
            "ecs:ListContainerInstances",
        ],
    ),
    ("clusters", 50.0, 20.0, &["ecs:DescribeClusters", "ecs:ListClusters"]),
    ("load balancing reads", 40.0, 10.0, &["elasticloadbalancing:Describe"]),
];

#[derive(Debug)]
pub(super) struct Budget {
    buckets: BTreeMap<&'static str, Bucket>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// Below zero: calls that wait for their token.
    tokens: f64,
    size: f64,
    rate: f64,
    at: Option<Moment>,
}

impl Default for Budget {
    fn default() -> Self {
        let buckets = CLASSES.iter().map(|(name, size, rate, _)| {
            let bucket = Bucket {
                tokens: size * SHARE,
                size: size * SHARE,
                rate: rate * SHARE,
                at: None,
            };
            (*name, bucket)
        });
        Self {
            buckets: buckets.collect(),
        }
    }
}

impl Budget {
    /// Takes a token for a call of that action, and says how long to wait before it is sent. What AWS publishes no rate
    /// for is not held up.
    pub(super) fn take(&mut self, action: &str, now: Moment) -> Duration {
        self.bucket(action).map_or(Duration::ZERO, |bucket| bucket.take(now))
    }

    /// AWS has turned such a call away.
    pub(super) fn throttled(&mut self, action: &str, now: Moment) {
        if let Some(bucket) = self.bucket(action) {
            bucket.refill(now);
            bucket.tokens = bucket.tokens.min(0.0);
        }
    }

    fn bucket(&mut self, action: &str) -> Option<&mut Bucket> {
        let is_in = |starts: &[&str]| starts.iter().any(|start| action.starts_with(start));
        let (name, ..) = CLASSES.iter().find(|(.., starts)| is_in(starts))?;
        self.buckets.get_mut(name)
    }
}

impl Bucket {
    fn refill(&mut self, now: Moment) {
        let passed = self.at.map_or(Duration::ZERO, |at| now.since(at));
        self.tokens = (self.tokens + passed.as_secs_f64() * self.rate).min(self.size);
        self.at = Some(self.at.map_or(now, |at| at.max(now)));
    }

    fn take(&mut self, now: Moment) -> Duration {
        self.refill(now);
        self.tokens -= 1.0;
        if self.tokens >= 0.0 {
            Duration::ZERO
        } else {
            Duration::from_secs_f64(-self.tokens / self.rate)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment::from_millis(1_000_000);

    /// How many calls at one moment need not wait.
    fn at_once(budget: &mut Budget, action: &str, now: Moment) -> usize {
        (0..200).take_while(|_| budget.take(action, now).is_zero()).count()
    }

    #[test]
    fn a_run_holds_itself_to_three_quarters_of_what_aws_allows() {
        let mut budget = Budget::default();
        assert_eq!(
            at_once(&mut budget, "elasticloadbalancing:DescribeTargetHealth", NOW),
            30
        );
        assert_eq!(at_once(&mut budget, "ecs:RegisterTaskDefinition", NOW), 15);
        assert_eq!(at_once(&mut budget, "ecs:DescribeServices", NOW), 75);
        assert_eq!(at_once(&mut budget, "ecs:DescribeServiceDeployments", NOW), 37);
    }

    #[test]
    fn calls_of_one_bucket_wait_in_a_row_and_others_do_not() {
        let mut budget = Budget::default();
        at_once(&mut budget, "elasticloadbalancing:DescribeTargetHealth", NOW);
        let wait = budget.take("elasticloadbalancing:DescribeRules", NOW);
        assert!((0.26..0.27).contains(&wait.as_secs_f64()), "{wait:?}");
        assert_eq!(budget.take("ecs:DescribeTasks", NOW), Duration::ZERO);
        let later = NOW + Duration::from_secs(2);
        assert_eq!(at_once(&mut budget, "elasticloadbalancing:DescribeRules", later), 13);
    }

    #[test]
    fn after_a_refusal_nothing_is_left() {
        let mut budget = Budget::default();
        budget.throttled("ecs:DescribeTasks", NOW);
        assert!(!budget.take("ecs:ListTasks", NOW).is_zero());
        assert_eq!(budget.take("sts:AssumeRoleWithWebIdentity", NOW), Duration::ZERO);
    }
}
