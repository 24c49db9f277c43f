//! One look at the world, as the observer gets it.

use std::collections::BTreeMap;

use crate::aws_model::service::{Deployment, Service, ServiceDeployment, ServiceRevision};
use crate::aws_model::target::{Routing, TargetHealth};
use crate::aws_model::task::{ContainerInstance, Task};
use crate::base::id::{ContainerInstanceArn, TargetGroupArn, TargetKey};

/// A place in a target group. Instance and port alone do not name a target: the same pair may stand in two groups.
pub type Place = (TargetGroupArn, TargetKey);

/// Everything that one round of reads has shown. Lists may come in any order and mean the same.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// `None`: DescribeServices says that it is missing.
    pub service: Option<Service>,
    /// All tasks of the service that AWS still shows, stopped ones too.
    pub tasks: Vec<Task>,
    /// The container instances of those tasks; `None` where they may not be read, so that targets on instances cannot
    /// be joined to tasks.
    pub instances: Option<BTreeMap<ContainerInstanceArn, ContainerInstance>>,
    /// They are not denied: no usable answer has come.
    pub are_instances_unanswered: bool,
    /// The rows of each target group of the service.
    pub targets: BTreeMap<TargetGroupArn, Vec<TargetHealth>>,
    /// The service deployment of *our* deployment, where that API may be read.
    pub service_deployment: Option<ServiceDeployment>,
    /// What our deployment was resolved to, where a service has two target groups for a load balancer and that API may be
    /// read.
    pub revision: Option<ServiceRevision>,
    /// Where the load balancers send the requests; read at the start, and once before a success.
    pub routing: Option<Routing>,
    /// All instances of the cluster with what they have left; read only when a placement has failed.
    pub capacity: Option<Vec<ContainerInstance>>,
    /// No task names a deployment in `startedBy`: which deployment it is of was told by its revision.
    pub is_told_by_revision: bool,
    /// Not all of it was read at this look: some of it is what an earlier one has shown. No verdict rests on that.
    pub is_partly_remembered: bool,
}

impl Snapshot {
    /// Leaves out tasks of other services, and tells the others apart by their revision where `startedBy` of none of them
    /// names a deployment, as in some emulators of AWS. Of the deployments of one revision, a task is of the last one that
    /// was there when it was created.
    pub fn told_apart(mut self) -> Self {
        let Some(service) = &self.service else { return self };
        self.tasks.retain(|task| !task.is_of_another(&service.name));
        let names_one = |task: &Task| {
            let by = task.started_by.as_ref();
            by.is_some_and(|id| id.is_of_ecs() || service.deployment(id).is_some())
        };
        if self.tasks.is_empty() || service.deployments.is_empty() || self.tasks.iter().any(names_one) {
            return self;
        }
        for task in &mut self.tasks {
            let runs_it = |d: &&Deployment| d.task_definition == task.task_definition;
            let comes_later = |d: &&Deployment| task.created_at.is_some() && d.created_at > task.created_at;
            let there = service.deployments.iter().filter(|d| runs_it(d) && !comes_later(d));
            if let Some(own) = there.max_by_key(|d| d.created_at) {
                task.started_by = Some(own.id.clone());
            }
        }
        self.is_told_by_revision = true;
        self
    }

    /// Whether ECS goes back by itself when the deployment fails. Where an alarm has ended it, the alarms' own settings
    /// decide.
    pub fn rolls_back(&self) -> bool {
        let configuration = self.service.as_ref().map(|s| &s.configuration);
        let is_by_alarm = self
            .service_deployment
            .as_ref()
            .is_some_and(|d| !d.progress.triggered_alarms.is_empty());
        if let Some(watch) = configuration.and_then(|c| c.alarms.as_ref()).filter(|_| is_by_alarm) {
            return watch.rollback;
        }
        let breaker = configuration.and_then(|c| c.circuit_breaker);
        breaker.is_some_and(|b| b.enable && b.rollback)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws_model::service::{AlarmWatch, CircuitBreaker, Progress};
    use crate::base::time::Timestamp;

    #[test]
    fn what_ended_a_deployment_decides_whether_ecs_goes_back() {
        let rolls_back = |breaker: bool, watch: bool, alarms: &[&str]| {
            let mut service = Service::plain();
            service.configuration.circuit_breaker = Some(CircuitBreaker {
                enable: true,
                rollback: breaker,
                ..CircuitBreaker::default()
            });
            service.configuration.alarms = Some(AlarmWatch {
                names: vec!["web-5xx".into()],
                enable: true,
                rollback: watch,
            });
            let deployment = ServiceDeployment {
                arn: String::new(),
                progress: Progress {
                    triggered_alarms: alarms.iter().map(|name| (*name).to_owned()).collect(),
                    ..Progress::default()
                },
                ..ServiceDeployment::plain()
            };
            let snapshot = Snapshot {
                service: Some(service),
                service_deployment: Some(deployment),
                ..Snapshot::default()
            };
            snapshot.rolls_back()
        };
        assert!(rolls_back(true, false, &[]) && !rolls_back(false, true, &[]));
        assert!(!rolls_back(true, false, &["web-5xx"]) && rolls_back(false, true, &["web-5xx"]));
    }

    /// The deployments of a service, and a task of each revision that `startedBy` says this of.
    fn told(deployments: &[(&str, &str, i64)], tasks: &[(&str, &str, i64)]) -> (Vec<String>, bool) {
        let at = |second: i64| Some(Timestamp::from_millis(second * 1000));
        let deployments = deployments.iter().map(|(id, revision, second)| Deployment {
            id: (*id).into(),
            task_definition: (*revision).into(),
            created_at: at(*second),
            ..Deployment::plain()
        });
        let tasks = tasks.iter().map(|(by, revision, second)| Task {
            started_by: Some((*by).into()),
            task_definition: (*revision).into(),
            created_at: at(*second),
            ..Task::plain()
        });
        let snapshot = Snapshot {
            service: Some(Service {
                deployments: deployments.collect(),
                ..Service::plain()
            }),
            tasks: tasks.collect(),
            ..Snapshot::default()
        };
        let told = snapshot.told_apart();
        let by = told.tasks.iter().flat_map(|task| &task.started_by);
        (by.map(ToString::to_string).collect(), told.is_told_by_revision)
    }

    #[test]
    fn t23_tasks_are_told_by_their_revision_only_where_none_names_a_deployment() {
        let two = [("ecs-svc/2", "web:2", 20), ("ecs-svc/1", "web:1", 10)];
        let (by, is_by_revision) = told(&two, &[("web", "web:2", 21), ("web", "web:1", 11), ("web", "web:0", 5)]);
        assert_eq!(
            (by, is_by_revision),
            (vec!["ecs-svc/2".into(), "ecs-svc/1".into(), "web".into()], true)
        );
        // One that does is enough, be it of a deployment that is no longer listed.
        let (by, is_by_revision) = told(&two, &[("web", "web:2", 21), ("ecs-svc/0", "web:0", 5)]);
        assert_eq!((by, is_by_revision), (vec!["web".into(), "ecs-svc/0".into()], false));
        // An emulator's own id of a deployment is as good as ECS's.
        let own = [("d-2", "web:2", 20), ("d-1", "web:1", 10)];
        assert!(!told(&own, &[("d-1", "web:1", 11)]).1);
    }

    #[test]
    fn t23_tasks_of_other_services_are_left_out_whoever_lists_them() {
        let of = |group: Option<&str>| Task {
            group: group.map(str::to_owned),
            ..Task::plain()
        };
        let snapshot = Snapshot {
            service: Some(Service::plain()),
            tasks: [Some("service:api"), Some("service:web"), Some("family:web"), None]
                .map(of)
                .to_vec(),
            ..Snapshot::default()
        };
        let groups = snapshot.told_apart().tasks.into_iter().map(|task| task.group);
        let kept = [Some("service:web"), Some("family:web"), None].map(|group| group.map(str::to_owned));
        assert!(groups.eq(kept));
    }

    #[test]
    fn t23_two_deployments_of_one_revision_are_told_by_the_time() {
        let forced = [("ecs-svc/2", "web:1", 20), ("ecs-svc/1", "web:1", 10)];
        let (by, _) = told(
            &forced,
            &[("web", "web:1", 21), ("web", "web:1", 11), ("web", "web:1", 5)],
        );
        assert_eq!(by, ["ecs-svc/2", "ecs-svc/1", "web"], "nobody's where none was there");
        // The first deployment of the revision is long over: its tasks are not of the one that goes back to it.
        let back = [("ecs-svc/3", "web:1", 30), ("ecs-svc/2", "web:2", 20)];
        let (by, _) = told(
            &back,
            &[("web", "web:1", 31), ("web", "web:2", 21), ("web", "web:1", 11)],
        );
        assert_eq!(by, ["ecs-svc/3", "ecs-svc/2", "web"]);
    }
}
