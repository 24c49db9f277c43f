//! How long nobody need look for healthy targets to be known to have stayed healthy.

use std::time::Duration;

use crate::aws_model::target::TargetGroup;
use crate::rollout::scope::Scope;

/// Where no target group says how it checks: the least that Elastic Load Balancing takes, two checks five seconds apart.
const LEAST: Duration = Duration::from_secs(10);

/// A target that was healthy at two polls this far apart, or less, was healthy between them as well.
///
/// A target that turns unhealthy between the two must be healthy again at the second. For that it has to pass as many checks
/// in a row as its group's healthy threshold says, one interval apart, and the first of them comes one interval after the
/// check that it failed. So a flap takes longer than threshold x interval, counted from the poll before it.
pub(crate) fn longest(scope: &Scope) -> Duration {
    let spans = scope.target_groups.values().filter_map(recovery);
    spans.min().unwrap_or(LEAST)
}

fn recovery(group: &TargetGroup) -> Option<Duration> {
    let check = &group.health_check;
    let span = check.interval * check.healthy_threshold;
    (check.enabled && !span.is_zero()).then_some(span)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(name: &str, enabled: bool, interval: u64, healthy_threshold: u32) -> TargetGroup {
        let mut group = TargetGroup {
            arn: name.into(),
            ..TargetGroup::plain()
        };
        group.health_check.enabled = enabled;
        group.health_check.interval = Duration::from_secs(interval);
        group.health_check.healthy_threshold = healthy_threshold;
        group
    }

    fn of(groups: Vec<TargetGroup>) -> u64 {
        let scope = Scope {
            target_groups: groups.into_iter().map(|group| (group.arn.clone(), group)).collect(),
            ..Scope::plain()
        };
        longest(&scope).as_secs()
    }

    #[test]
    fn the_group_that_recovers_first_decides() {
        assert_eq!(of(vec![group("a", true, 30, 5)]), 150);
        assert_eq!(of(vec![group("a", true, 30, 5), group("b", true, 10, 3)]), 30);
    }

    #[test]
    fn a_group_that_checks_nothing_says_nothing() {
        assert_eq!(of(vec![group("a", true, 30, 5), group("b", false, 5, 2)]), 150);
        assert_eq!(of(vec![group("a", true, 0, 0)]), 10);
        assert_eq!(of(Vec::new()), 10);
    }

    /// The worst target there is: it fails its last check right after a poll, and passes every one from then on.
    #[test]
    fn no_flap_fits_into_the_time_that_nobody_looks() {
        for (interval, threshold) in [(5, 2), (10, 5), (30, 5), (300, 10)] {
            let bound = of(vec![group("a", true, interval, threshold)]);
            let failed_at = 1;
            let healthy_again_at = failed_at + interval * u64::from(threshold);
            assert!(healthy_again_at > bound, "{interval} s, {threshold} checks");
            assert!(
                healthy_again_at <= bound + 1,
                "and the bound is no smaller than it must be"
            );
        }
    }
}
