//! Revisions that nobody needs any more (`--keep-revisions`). Whatever goes wrong here costs a warning.

use std::collections::BTreeSet;

use portzero_core::aws_model::api_error::ApiError;
use portzero_core::base::finding::Finding;
use portzero_core::base::id::TaskDefinitionArn;
use portzero_core::event::EventKind;
use portzero_core::policy::{Purge, superfluous};
use portzero_core::port::{Clock, Interrupts, Report};
use portzero_core::rollout::Verdict;

use crate::app::deploy::run::Run;
use crate::app::deploy::service_run::ServiceRun;
use crate::app::ports::Aws;

impl<A: Aws, C: Clock, I: Interrupts, R: Report> Run<'_, A, C, I, R> {
    /// After everything else: no other service of the run waits for it, and what any of them runs is known.
    pub(super) async fn purge(&mut self, runs: &mut [ServiceRun]) {
        let in_use: BTreeSet<TaskDefinitionArn> = runs.iter().flat_map(used_by).collect();
        for run in runs {
            let (Some(keep), Some(newest)) = (run.request.policy.keep_revisions, run.after.clone()) else {
                continue;
            };
            if run.verdict() != Verdict::Succeeded || run.deployment.is_none() {
                continue;
            }
            let mut gone = Vec::new();
            let purging = self.purge_family(run, newest.family(), keep, &in_use, &mut gone);
            let trouble = match self.ports.unless_interrupted(purging).await {
                Some(done) => done.err(),
                None => Some(Purge::trouble("the run was asked to end", None)),
            };
            if !gone.is_empty() {
                self.tell(&run.request, EventKind::Purged(Purge { gone, kept: keep }));
            }
            if let Some(trouble) = trouble {
                self.tell(&run.request, EventKind::Found(trouble.clone()));
                run.outcome
                    .iter_mut()
                    .for_each(|outcome| outcome.findings.push(trouble.clone()));
            }
        }
    }

    async fn purge_family(
        &self,
        run: &ServiceRun,
        family: &str,
        keep: u32,
        in_use: &BTreeSet<TaskDefinitionArn>,
        gone: &mut Vec<TaskDefinitionArn>,
    ) -> Result<(), Finding> {
        let request = &run.request;
        let cannot = |error: ApiError| Purge::trouble(&format!("{} failed", error.action), Some(&error));
        let mut active = self.ports.aws.active_revisions(family).await.map_err(cannot)?;
        // A newer one than this run's is another run's, which is about to deploy it.
        let ours = run.after.as_ref().map(|arn| arn.revision());
        active.retain(|arn| ours.is_none_or(|ours| arn.revision() <= ours));
        let described = self
            .ports
            .aws
            .describe_services(&request.cluster, std::slice::from_ref(&request.service))
            .await
            .map_err(cannot)?;
        let mut needed = in_use.clone();
        for service in &described.services {
            needed.extend(service.task_definition.clone());
            needed.extend(service.deployments.iter().map(|d| d.task_definition.clone()));
        }
        for revision in superfluous(&active, keep, &needed) {
            self.ports
                .aws
                .deregister_task_definition(&revision)
                .await
                .map_err(cannot)?;
            gone.push(revision);
        }
        Ok(())
    }
}

/// What it runs, what it ran before, and what a rollback would go to.
fn used_by(run: &ServiceRun) -> impl Iterator<Item = TaskDefinitionArn> {
    let deployments = run.plan.iter().flat_map(|plan| &plan.service.deployments);
    let listed = deployments.map(|d| d.task_definition.clone());
    run.after.iter().chain(&run.before).cloned().chain(listed)
}
