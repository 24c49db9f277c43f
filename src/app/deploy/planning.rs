//! One service's plan: reads, renders, compares, checks. Nothing is changed.

use std::time::Duration;

use portzero_core::aws_model::api_error::ApiErrorKind;
use portzero_core::base::finding::{Code, Finding};
use portzero_core::base::time::Moment;
use portzero_core::plan::survey::Survey;
use portzero_core::plan::{DefinitionSource, DeployRequest, Plan, render};
use portzero_core::port::{Clock, Ecs, Interrupts, LoadBalancing};

use crate::app::deploy::service_run::ServiceRun;
use crate::app::deploy::words;
use crate::app::ports::Ports;
use crate::app::survey;

/// As long as a rollout is waited for at least. A longer timeout is for the rollout.
const PLANNED_WITHIN: Duration = Duration::from_secs(600);

/// Plans one service: reads, renders, compares, checks. Nothing is changed.
pub async fn plan<A: Ecs + LoadBalancing, C: Clock>(
    aws: &A,
    clock: &C,
    request: DeployRequest,
) -> Result<(Plan, Survey), (DeployRequest, Vec<Finding>)> {
    let survey = match survey::survey(aws, clock, &request.cluster, &request.service, true).await {
        Ok(survey) => survey,
        Err(mut finding) => {
            finding.state.get_or_insert_with(|| "nothing was changed".into());
            return Err((request, vec![finding]));
        }
    };
    let registered = match &request.base {
        DefinitionSource::Registered(reference) => match aws.describe_task_definition(reference).await {
            Ok(found) => Some((found.arn, found.document)),
            Err(error) if error.kind == ApiErrorKind::NotFound => {
                let finding = Finding::error(Code::Api, format!("there is no task definition `{reference}`"))
                    .evidence("answer", error.message)
                    .state("nothing was changed")
                    .hint("name a family, or a revision of one that is ACTIVE");
                return Err((request, vec![finding]));
            }
            Err(error) => return Err((request, vec![survey::api(error).state("nothing was changed")])),
        },
        DefinitionSource::Running | DefinitionSource::Document(_) => None,
    };
    match Plan::make(request.clone(), &survey, registered) {
        Ok(plan) => Ok((plan, survey)),
        Err(findings) => Err((request, findings)),
    }
}

/// Why there are no plans: what became of each service. Nothing has been changed.
#[derive(Debug)]
pub enum Unplanned {
    Refused(Vec<ServiceRun>),
    /// A signal came first.
    Interrupted(Vec<ServiceRun>),
    /// The timeout is over.
    TimedOut(Vec<ServiceRun>),
}

/// Plans all services, or stops with everything that is wrong, or at a signal.
///
/// # Errors
/// What became of the services that cannot be planned, or of all where there was no time to.
pub async fn plan_all<A: Ecs + LoadBalancing, C: Clock, I: Interrupts>(
    ports: Ports<'_, A, C, I>,
    requests: &[DeployRequest],
) -> Result<Vec<(Plan, Survey)>, Unplanned> {
    let planning = async {
        let (mut plans, mut refused) = (Vec::new(), Vec::new());
        for request in requests {
            match plan(ports.aws, ports.clock, request.clone()).await {
                Ok(planned) => plans.push(planned),
                Err((request, findings)) => {
                    let findings = words::of_service(findings, &request.service, requests.len() == 1);
                    refused.push(ServiceRun::refused(request, None, findings, ports.now()));
                }
            }
        }
        (plans, refused)
    };
    let within = time_to_plan(requests);
    let planning = ports.unless_interrupted(planning);
    match ports.before(ports.now() + within, planning).await {
        Some(Some((plans, refused))) if refused.is_empty() => Ok(plans),
        Some(Some((_, refused))) => Err(Unplanned::Refused(refused)),
        Some(None) => Err(Unplanned::Interrupted(interrupted(requests, ports.now()))),
        None => {
            let late = |request: &DeployRequest| {
                let outcome = words::not_planned_in_time(request, within);
                ServiceRun::begun(request.clone(), None, ports.now()).ended(outcome)
            };
            Err(Unplanned::TimedOut(requests.iter().map(late).collect()))
        }
    }
}

/// The longest timeout of the services, which is over for all of them then.
fn time_to_plan(requests: &[DeployRequest]) -> Duration {
    let timeouts = requests.iter().map(|request| request.timeout.unwrap_or(PLANNED_WITHIN));
    timeouts.max().unwrap_or(PLANNED_WITHIN).min(PLANNED_WITHIN)
}

/// A signal came before the first change.
pub fn interrupted(requests: &[DeployRequest], at: Moment) -> Vec<ServiceRun> {
    let interrupted = |request: &DeployRequest| {
        let outcome = words::interrupted_before_a_plan(request);
        ServiceRun::begun(request.clone(), None, at).ended(outcome)
    };
    requests.iter().map(interrupted).collect()
}

/// The services whose own documents cannot be rendered, before any world is asked.
pub fn check_documents(requests: &[DeployRequest], at: Moment) -> Vec<ServiceRun> {
    let refused = |request: &DeployRequest| {
        let DefinitionSource::Document(document) = &request.base else {
            return None;
        };
        let found = render(request, document, &[], None).err()?;
        let found = words::of_service(found, &request.service, requests.len() == 1);
        let found = found.into_iter().map(|finding| finding.state("nothing was changed"));
        Some(ServiceRun::refused(request.clone(), None, found.collect(), at))
    };
    requests.iter().filter_map(refused).collect()
}

/// All services are planned together, and one that waits for another begins minutes later: its plan may be out of date
/// by then. It is made anew, and given up where somebody has deployed in the meantime.
pub(super) async fn again<A: Ecs + LoadBalancing, C: Clock>(
    aws: &A,
    clock: &C,
    plan: &Plan,
) -> Result<(Plan, Survey), Box<ServiceRun>> {
    let (again, survey) = match self::plan(aws, clock, plan.request.clone()).await {
        Ok(planned) => planned,
        Err((request, findings)) => return Err(Box::new(ServiceRun::refused(request, None, findings, clock.now()))),
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
        again.request.clone(),
        Some(again),
        findings,
        clock.now(),
    )))
}
