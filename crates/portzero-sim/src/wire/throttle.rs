//! Token buckets in virtual time, as AWS publishes them for an account and region: a burst, and so many tokens a second.
//!
//! Source: the request throttling pages of the Amazon ECS and the Elastic Load Balancing API references (aws-facts 5).
//! Operations that these do not list are not throttled here.
//!
//! A client that keeps within AWS's rates has buckets of its own, which look much like these. The two must not share code:
//! this one judges that one, and a mistake in common would hide itself.

use std::collections::BTreeMap;

use super::action::Action;
use crate::scenario::Throttling;
use crate::timestamp::Timestamp;

/// What a bucket holds at most, and the tokens that come back in a thousand seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    pub burst: u64,
    pub per_kilosecond: u64,
}

const fn size(burst: u64, per_second: u64) -> Size {
    Size {
        burst,
        per_kilosecond: per_second * 1000,
    }
}

/// Two tokens in ten seconds.
const RARE: Size = Size {
    burst: 10,
    per_kilosecond: 200,
};

/// One group of actions that shares a bucket.
type Group = (&'static str, Size, &'static [&'static str]);

const ECS: &[Group] = &[
    (
        "task definition changes",
        size(20, 1),
        &["RegisterTaskDefinition", "DeregisterTaskDefinition"],
    ),
    (
        "task definition reads",
        size(50, 20),
        &[
            "DescribeTaskDefinition",
            "ListTaskDefinitions",
            "ListTaskDefinitionFamilies",
        ],
    ),
    ("task definition deletions", size(5, 1), &["DeleteTaskDefinitions"]),
    (
        "service changes",
        size(50, 5),
        &["CreateService", "UpdateService", "DeleteService"],
    ),
    ("service reads", size(100, 20), &["DescribeServices", "ListServices"]),
    (
        "cluster resource reads",
        size(100, 20),
        &[
            "DescribeTasks",
            "ListTasks",
            "DescribeContainerInstances",
            "ListContainerInstances",
            "ListAttributes",
        ],
    ),
    (
        "service deployment reads",
        size(50, 20),
        &["DescribeServiceDeployments", "ListServiceDeployments"],
    ),
    ("service revision reads", size(50, 20), &["DescribeServiceRevisions"]),
    ("cluster reads", size(50, 20), &["DescribeClusters", "ListClusters"]),
    (
        "task changes",
        size(100, 40),
        &["RunTask", "StopTask", "StartTask", "ExecuteCommand"],
    ),
    ("tag changes", size(20, 10), &["TagResource", "UntagResource"]),
];

/// Over all actions of one version of Elastic Load Balancing.
const ELB_ACCOUNT: Size = size(40, 10);
const ELB_READS: Size = size(40, 10);
const ELB_REGISTRATIONS: Size = size(20, 4);
const ELB_CHANGES: Size = size(20, 3);

/// The buckets that a call takes a token from: their names and sizes.
fn published(action: &Action, version: &str) -> Vec<(String, Size)> {
    match action.service {
        "ecs" => {
            let own = ECS
                .iter()
                .find(|(_, _, actions)| actions.contains(&action.operation.as_str()));
            own.map(|(name, size, _)| (format!("ecs {name}"), *size))
                .into_iter()
                .collect()
        }
        "elasticloadbalancing" => {
            let (name, size) = match action.operation.as_str() {
                read if read.starts_with("Describe") => ("reads", ELB_READS),
                "RegisterTargets"
                | "DeregisterTargets"
                | "RegisterInstancesWithLoadBalancer"
                | "DeregisterInstancesFromLoadBalancer" => ("registrations", ELB_REGISTRATIONS),
                "CreateLoadBalancer" | "SetSubnets" => ("creations", RARE),
                _ => ("changes", ELB_CHANGES),
            };
            let named = |name: &str| format!("elb {version} {name}");
            vec![(named(name), size), (named("account"), ELB_ACCOUNT)]
        }
        _ => Vec::new(),
    }
}

/// Millionths of a token, so that nothing is lost between two milliseconds.
const TOKEN: u64 = 1_000_000;

#[derive(Clone, Copy, Debug)]
struct Bucket {
    size: Size,
    micro: u64,
    filled_at: Timestamp,
}

impl Bucket {
    fn full(size: Size, now: Timestamp) -> Self {
        Self {
            size,
            micro: size.burst.saturating_mul(TOKEN),
            filled_at: now,
        }
    }

    fn fill(&mut self, now: Timestamp) {
        let millis = u64::try_from(now.since(self.filled_at).as_millis()).unwrap_or(u64::MAX);
        // A token in a thousand seconds is a millionth of one in each millisecond.
        let more = millis.saturating_mul(self.size.per_kilosecond);
        self.micro = self
            .micro
            .saturating_add(more)
            .min(self.size.burst.saturating_mul(TOKEN));
        self.filled_at = now;
    }
}

/// The buckets of an account. They begin full.
#[derive(Clone, Debug, Default)]
pub(super) struct Throttle(BTreeMap<String, Bucket>);

impl Throttle {
    /// Whether a call passes. One that is refused takes no token from anywhere.
    pub(super) fn admits(&mut self, throttling: Throttling, action: &Action, version: &str, now: Timestamp) -> bool {
        match throttling {
            Throttling::None => true,
            Throttling::Aws => self.takes(&published(action, version), now),
            Throttling::Fixed { burst, per_kilosecond } => self.takes(
                &[(format!("fixed {}", action.service), Size { burst, per_kilosecond })],
                now,
            ),
        }
    }

    /// Takes one token from each of the buckets, or none from any.
    pub(super) fn takes(&mut self, buckets: &[(String, Size)], now: Timestamp) -> bool {
        for (name, size) in buckets {
            let bucket = self.0.entry(name.clone()).or_insert_with(|| Bucket::full(*size, now));
            bucket.fill(now);
        }
        let are_there = buckets
            .iter()
            .all(|(name, _)| self.0.get(name).is_some_and(|b| b.micro >= TOKEN));
        if are_there {
            for (name, _) in buckets {
                if let Some(bucket) = self.0.get_mut(name) {
                    bucket.micro -= TOKEN;
                }
            }
        }
        are_there
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_000_000);

    fn action(service: &'static str, operation: &str) -> Action {
        Action {
            service,
            operation: operation.into(),
        }
    }

    fn passing(throttle: &mut Throttle, action: &Action, calls: usize, now: Timestamp) -> usize {
        let version = "2015-12-01";
        (0..calls)
            .filter(|_| throttle.admits(Throttling::Aws, action, version, now))
            .count()
    }

    #[test]
    fn each_group_lets_its_burst_through_and_then_its_rate() {
        for (service, operation, burst, in_ten_seconds) in [
            ("ecs", "RegisterTaskDefinition", 20, 10),
            ("ecs", "DescribeTaskDefinition", 50, 50),
            ("ecs", "DeleteTaskDefinitions", 5, 5),
            ("ecs", "UpdateService", 50, 50),
            ("ecs", "DescribeServices", 100, 100),
            ("ecs", "ListTasks", 100, 100),
            ("ecs", "ListServiceDeployments", 50, 50),
            ("ecs", "DescribeServiceRevisions", 50, 50),
            ("ecs", "ListClusters", 50, 50),
            ("ecs", "StopTask", 100, 100),
            ("ecs", "TagResource", 20, 20),
            ("elasticloadbalancing", "DescribeTargetHealth", 40, 40),
            ("elasticloadbalancing", "RegisterTargets", 20, 20),
            ("elasticloadbalancing", "CreateListener", 20, 20),
            ("elasticloadbalancing", "CreateLoadBalancer", 10, 2),
        ] {
            let (mut throttle, action) = (Throttle::default(), action(service, operation));
            assert_eq!(
                passing(&mut throttle, &action, 150, START),
                burst,
                "{operation} at once"
            );
            let later = START + Duration::from_secs(10);
            assert_eq!(
                passing(&mut throttle, &action, 150, later),
                in_ten_seconds,
                "{operation} after 10 s"
            );
        }
    }

    #[test]
    fn a_token_comes_back_in_the_millisecond_in_which_it_is_whole() {
        let (mut throttle, action) = (Throttle::default(), action("ecs", "DescribeServices"));
        passing(&mut throttle, &action, 100, START);
        // Twenty a second: one every 50 ms.
        assert_eq!(passing(&mut throttle, &action, 3, START + Duration::from_millis(49)), 0);
        assert_eq!(passing(&mut throttle, &action, 3, START + Duration::from_millis(50)), 1);
        assert_eq!(
            passing(&mut throttle, &action, 3, START + Duration::from_millis(149)),
            1
        );
        assert_eq!(
            passing(&mut throttle, &action, 3, START + Duration::from_millis(150)),
            1
        );
    }

    #[test]
    fn actions_of_one_group_share_and_those_of_another_do_not() {
        let mut throttle = Throttle::default();
        assert_eq!(
            passing(&mut throttle, &action("ecs", "DescribeServices"), 60, START),
            60
        );
        assert_eq!(passing(&mut throttle, &action("ecs", "ListServices"), 60, START), 40);
        assert_eq!(passing(&mut throttle, &action("ecs", "DescribeTasks"), 60, START), 60);
        assert_eq!(
            passing(&mut throttle, &action("ecs", "CreateCluster"), 999, START),
            999,
            "in no group"
        );
    }

    #[test]
    fn all_of_elastic_load_balancing_shares_the_bucket_of_the_account() {
        let mut throttle = Throttle::default();
        let elb = |operation| action("elasticloadbalancing", operation);
        assert_eq!(passing(&mut throttle, &elb("DescribeRules"), 30, START), 30);
        assert_eq!(
            passing(&mut throttle, &elb("RegisterTargets"), 30, START),
            10,
            "the account's rest"
        );
        let old = throttle.admits(Throttling::Aws, &elb("DescribeLoadBalancers"), "2012-06-01", START);
        assert!(old, "the classic version has its own");
    }
}
