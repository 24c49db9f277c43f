//! One service's plan: reads, renders, compares, checks. Nothing is changed.

use portzero_core::aws_model::api_error::ApiErrorKind;
use portzero_core::base::finding::{Code, Finding};
use portzero_core::plan::survey::Survey;
use portzero_core::plan::{Base, Plan, Wish};
use portzero_core::port::{Clock, Ecs, LoadBalancing};

use crate::app::deploy::service_run::ServiceRun;
use crate::app::deploy::words;
use crate::app::survey;

/// Plans one service: reads, renders, compares, checks. Nothing is changed.
pub async fn plan<A: Ecs + LoadBalancing, C: Clock>(
    aws: &A,
    clock: &C,
    wish: Wish,
) -> Result<(Plan, Survey), (Wish, Vec<Finding>)> {
    let survey = match survey::survey(aws, clock, &wish.cluster, &wish.service, wish.url.is_none()).await {
        Ok(survey) => survey,
        Err(mut finding) => {
            finding.state.get_or_insert_with(|| "nothing was changed".into());
            return Err((wish, vec![finding]));
        }
    };
    let registered = match &wish.base {
        Base::Registered(reference) => match aws.describe_task_definition(reference).await {
            Ok(found) => Some((found.arn, found.document)),
            Err(error) if error.kind == ApiErrorKind::NotFound => {
                let finding = Finding::error(Code::Api, format!("there is no task definition `{reference}`"))
                    .evidence("answer", error.message)
                    .state("nothing was changed")
                    .hint("name a family, or a revision of one that is ACTIVE");
                return Err((wish, vec![finding]));
            }
            Err(error) => return Err((wish, vec![survey::api(error).state("nothing was changed")])),
        },
        Base::Running | Base::Document(_) => None,
    };
    match Plan::make(wish.clone(), &survey, registered) {
        Ok(plan) => Ok((plan, survey)),
        Err(findings) => Err((wish, findings)),
    }
}

/// All services are planned together, and one that waits for another begins minutes later: its plan may be out of date
/// by then. It is made anew, and given up where somebody has deployed in the meantime.
pub(super) async fn again<A: Ecs + LoadBalancing, C: Clock>(
    aws: &A,
    clock: &C,
    plan: &Plan,
) -> Result<(Plan, Survey), Box<ServiceRun>> {
    let (again, survey) = match self::plan(aws, clock, plan.wish.clone()).await {
        Ok(planned) => planned,
        Err((wish, findings)) => return Err(Box::new(ServiceRun::refused(wish, None, findings, clock.now()))),
    };
    let has_moved = again.before != plan.before;
    if !has_moved && !again.is_refused() {
        return Ok((again, survey));
    }
    let mut findings = again.findings.clone();
    if has_moved {
        findings.insert(0, words::moved(plan, &again));
    }
    Err(Box::new(ServiceRun::refused(
        again.wish.clone(),
        Some(again),
        findings,
        clock.now(),
    )))
}
