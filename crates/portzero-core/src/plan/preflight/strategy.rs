//! What can be known beforehand of a service's deployment strategy, and of how far the run is to follow it.

use std::time::Duration;

use crate::aws_model::service::{DeploymentStrategy, Service, Stage};
use crate::base::finding::{Code, Finding};
use crate::base::time::human;
use crate::rollout::Until;

/// A wait of this length is worth a word: half of what most pipelines give a job without being asked.
const LONG: Duration = Duration::from_secs(30 * 60);

/// What the service's deployment strategy means for the run, and whether it ever comes to the point that was asked for.
pub fn strategy(service: &Service, until: Until) -> Vec<Finding> {
    let used = service.configuration.strategy.as_ref();
    let name = used.unwrap_or(&DeploymentStrategy::Rolling).as_str();
    if let Some(DeploymentStrategy::Unknown(_)) = used {
        return vec![unknown(service, name)];
    }
    if let (Until::Stage(stage), false) = (until, service.configuration.is_staged()) {
        return vec![no_stages(service, stage, name)];
    }
    long_wait(service, until)
        .into_iter()
        .chain(early_success(service, until))
        .chain(pauses(service, until))
        .collect()
}

fn unknown(service: &Service, name: &str) -> Finding {
    Finding::error(
        Code::UnsupportedController,
        format!(
            "service `{}` is deployed by the strategy {name}, which portzero does not know",
            service.name
        ),
    )
    .state("nothing was changed")
}

fn no_stages(service: &Service, stage: Stage, name: &str) -> Finding {
    Finding::error(
        Code::StageMissing,
        format!(
            "`{}` never comes to a stage {}: its strategy is {name}",
            service.name,
            stage.as_str()
        ),
    )
    .state("nothing was changed")
    .hint("ask for `registered`, `healthy` or `drained`; stages are those of BLUE_GREEN, LINEAR and CANARY")
}

fn long_wait(service: &Service, until: Until) -> Option<Finding> {
    let configuration = &service.configuration;
    let bake = configuration.bake_time.unwrap_or_default();
    let is_before_end = matches!(until, Until::Stage(stage) if stage <= Stage::BakeTime);
    if !configuration.is_staged() || bake < LONG || is_before_end {
        return None;
    }
    Some(Finding::note(
        Code::LongWait,
        format!(
            "`{}` bakes for {} after all traffic has shifted, and this run waits for the end of it; with `--until \
             stage:BAKE_TIME` it ends when that begins",
            service.name,
            human(bake)
        ),
    ))
}

/// ECS's word comes before the end that this run waits for.
fn early_success(service: &Service, until: Until) -> Option<Finding> {
    let configuration = &service.configuration;
    let percent = configuration.early_success.filter(|_| !configuration.is_staged())?;
    let what = match (percent < 100, configuration.defers_clean_up && until == Until::Drained) {
        (true, true) => "the other new tasks, and for the old ones to leave",
        (true, false) => "the other new tasks",
        (false, true) => "the old tasks to leave",
        (false, false) => return None,
    };
    Some(Finding::note(
        Code::LongWait,
        format!(
            "ECS calls a deployment of `{}` successful once {percent} % of its tasks are healthy (early success criteria); \
             this run waits also for {what}",
            service.name
        ),
    ))
}

/// Pauses before the point at which the run ends: nobody can say how long they last.
fn pauses(service: &Service, until: Until) -> Option<Finding> {
    let goal = match until {
        Until::Registered => Stage::PostScaleUp,
        Until::Stage(stage) => stage,
        Until::Healthy | Until::Drained => Stage::CleanUp,
    };
    let is_before = |name: &&String| Stage::named(name).is_none_or(|stage| stage < goal);
    let pauses = service.configuration.hooks.iter().filter(|hook| hook.is_pause());
    let stages: Vec<&str> = pauses
        .flat_map(|hook| hook.stages.iter().filter(is_before))
        .map(String::as_str)
        .collect();
    if stages.is_empty() {
        return None;
    }
    let earliest = stages.iter().filter_map(|name| Stage::named(name)).min();
    let advice = earliest
        .filter(|stage| *stage > Stage::ScaleUp)
        .map(|stage| format!("; with `--until {}` it ends there", stage.as_goal()))
        .unwrap_or_default();
    let summary = format!(
        "`{}` pauses at {} until somebody continues it, and this run waits for that as long as its timeout allows{advice}",
        service.name,
        stages.join(", ")
    );
    Some(Finding::note(Code::LongWait, summary))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws_model::service::{DeploymentConfiguration, Hook, HookTargetType};

    fn service(strategy: &str, bake_minutes: u64, pause: Option<&str>) -> Service {
        let hooks = pause.into_iter().map(|stage| Hook {
            target_type: HookTargetType::Pause,
            stages: vec![stage.to_owned()],
        });
        Service {
            configuration: DeploymentConfiguration {
                strategy: Some(strategy.into()),
                bake_time: Some(Duration::from_secs(bake_minutes * 60)),
                hooks: hooks.collect(),
                ..DeploymentConfiguration::default()
            },
            ..Service::plain()
        }
    }

    fn codes(service: &Service, until: Until) -> Vec<Code> {
        strategy(service, until).iter().map(|found| found.code).collect()
    }

    #[test]
    fn a_stage_that_never_comes_and_a_strategy_that_nobody_knows_are_refused() {
        let baking = Until::Stage(Stage::BakeTime);
        assert_eq!(codes(&service("ROLLING", 0, None), baking), [Code::StageMissing]);
        assert_eq!(codes(&service("BLUE_GREEN", 0, None), baking), []);
        assert_eq!(
            codes(&service("LUNAR", 0, None), Until::Drained),
            [Code::UnsupportedController]
        );
    }

    #[test]
    fn a_long_wait_is_told_unless_the_run_ends_before_it() {
        let hours = service("CANARY", 180, None);
        assert_eq!(codes(&hours, Until::Drained), [Code::LongWait]);
        assert_eq!(codes(&hours, Until::Stage(Stage::BakeTime)), []);
        let paused = service("BLUE_GREEN", 1, Some("POST_TEST_TRAFFIC_SHIFT"));
        assert_eq!(codes(&paused, Until::Drained), [Code::LongWait]);
        assert_eq!(codes(&paused, Until::Stage(Stage::PostTestTrafficShift)), []);
    }
}
