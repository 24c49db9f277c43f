//! What a look costs, as AWS counts it: requests over the wire, pages and batches included.

use std::collections::BTreeMap;

use portzero::adapters::aws::Connection;
use portzero::app::survey::{Look, Patience, Poller, Watch};
use portzero_core::base::time::Moment;
use portzero_core::port::{ApiErrorKind, Ecs};
use portzero_core::rollout::Snapshot;
use serde_json::json;

use super::world::{Spec, text};
use crate::served::serve;
use crate::support::http::control;
use crate::support::{VirtualClock, connect, run};

const SECOND: std::time::Duration = std::time::Duration::from_secs(1);

fn watch((name, cluster, group, _): &Spec) -> Watch {
    let arn = |group: &String| {
        // The group's own ARN is the simulator's business; it is read before the look.
        group.as_str().into()
    };
    Watch {
        cluster: (*cluster).into(),
        service: name.as_str().into(),
        groups: group.iter().map(arn).collect(),
        balancers: Vec::new(),
        managed: Default::default(),
        ours: None,
        wants_capacity: false,
        wants_everything: false,
        patience: Patience::Following,
    }
}

/// A frozen world behind the wire, and one who looks at it.
struct Looker<'c> {
    aws: Connection<&'c VirtualClock>,
    poller: Poller,
    watches: Vec<Watch>,
    now: Moment,
}

impl<'c> Looker<'c> {
    async fn at(url: &str, clock: &'c VirtualClock, services: &[Spec]) -> Looker<'c> {
        let aws = connect(url, clock).await;
        let mut watches: Vec<Watch> = services.iter().map(watch).collect();
        for watch in &mut watches {
            let found = aws
                .describe_services(&watch.cluster, std::slice::from_ref(&watch.service))
                .await;
            let service = found.unwrap().services.remove(0);
            watch.groups = service.target_groups();
            watch.ours = service.primary().map(|primary| primary.id.clone());
        }
        Looker {
            aws,
            poller: Poller::default(),
            watches,
            now: Moment::from_millis(0),
        }
    }

    /// Looks that long after the last look: what is seen, and the requests by action.
    async fn after(&mut self, span: std::time::Duration) -> (Vec<Look>, BTreeMap<String, u64>) {
        self.now = self.now + span;
        let before = self.aws.request_counts().by_action;
        let looks = self.poller.look(&self.aws, self.now, &self.watches).await;
        let mut sent = self.aws.request_counts().by_action;
        for (action, count) in before {
            *sent.get_mut(&action).unwrap() -= count;
        }
        sent.retain(|_, count| *count > 0);
        (looks, sent)
    }
}

fn sent(expected: &[(&str, u64)]) -> BTreeMap<String, u64> {
    expected
        .iter()
        .map(|(action, count)| ((*action).to_owned(), *count))
        .collect()
}

fn seen(looks: &[Look]) -> Vec<&Snapshot> {
    looks
        .iter()
        .map(|look| look.snapshot.as_ref().expect("readable"))
        .collect()
}

fn served(services: &[Spec], more: &serde_json::Value) -> String {
    serve(text(services, more).leak(), 0)
}

/// Thirty services in three clusters, four tasks each, four target groups in each cluster: ten services share four.
fn thirty() -> Vec<Spec> {
    let mut services = Vec::new();
    for cluster in ["front", "back", "batch"] {
        for n in 0..10 {
            services.push((
                format!("{cluster}-{n}"),
                cluster,
                Some(format!("{cluster}-{}", n % 4)),
                4,
            ));
        }
    }
    services
}

#[test]
fn a_look_at_thirty_services_costs_what_the_limits_of_the_calls_make_it_cost() {
    let services = thirty();
    let url = served(&services, &json!({}));
    let clock = VirtualClock::default();
    run(async {
        let mut looker = Looker::at(&url, &clock, &services).await;
        let (looks, first) = looker.after(SECOND).await;
        assert_eq!(seen(&looks).iter().map(|s| s.tasks.len()).sum::<usize>(), 120);
        assert_eq!(seen(&looks).iter().map(|s| s.targets.len()).sum::<usize>(), 30);
        assert!(seen(&looks).iter().all(|s| !s.is_partly_remembered));
        // Everything, once: each service's list of tasks and of service deployments is a request of its own.
        let whole = [
            ("DescribeServices", 3),
            ("DescribeTasks", 3),
            ("DescribeContainerInstances", 3),
            ("DescribeTargetHealth", 12),
            ("ListTasks", 60),
        ];
        let of_deployments = first["ListServiceDeployments"] + first.get("DescribeServiceDeployments").unwrap_or(&0);
        assert!(of_deployments <= 60, "{first:?}");
        let mut rest = first.clone();
        rest.retain(|action, _| !action.contains("ServiceDeployments"));
        assert_eq!(rest, sent(&whole));

        // Two seconds later nothing has changed: ceil(10 / 10) in each cluster, and one for each target group.
        looker
            .watches
            .iter_mut()
            .for_each(|watch| watch.wants_everything = false);
        let (looks, second) = looker.after(2 * SECOND).await;
        let light = [("DescribeServices", 3), ("DescribeTargetHealth", 12)];
        let mut rest = second.clone();
        rest.retain(|action, _| !action.contains("ServiceDeployments"));
        assert_eq!(rest, sent(&light));
        assert!(
            seen(&looks)
                .iter()
                .all(|s| s.is_partly_remembered && s.tasks.len() == 4)
        );
    });
}

#[test]
fn more_than_fits_in_a_call_takes_one_more() {
    // 21 services: three calls. 105 tasks: two. One target group for all: one.
    let services: Vec<Spec> = (0..21)
        .map(|n| (format!("s{n:02}"), "c", Some("shared".to_owned()), 5))
        .collect();
    let url = served(&services, &json!({}));
    let clock = VirtualClock::default();
    run(async {
        let mut looker = Looker::at(&url, &clock, &services).await;
        looker.watches.iter_mut().for_each(|watch| watch.ours = None);
        let (looks, sent_now) = looker.after(SECOND).await;
        let expected = [
            ("DescribeServices", 3),
            ("DescribeTasks", 2),
            ("DescribeContainerInstances", 1),
            ("DescribeTargetHealth", 1),
            ("ListTasks", 42),
        ];
        assert_eq!(sent_now, sent(&expected));
        for (look, watch) in looks.iter().zip(&looker.watches) {
            let snapshot = look.snapshot.as_ref().unwrap();
            assert_eq!(snapshot.service.as_ref().map(|s| &s.name), Some(&watch.service));
            assert_eq!(snapshot.tasks.len(), 5);
            assert_eq!(snapshot.targets.values().map(Vec::len).sum::<usize>(), 105);
        }
    });
}

#[test]
fn what_is_remembered_grows_old_and_what_is_asked_for_is_read() {
    let services = thirty()[..1].to_vec();
    let url = served(&services, &json!({}));
    let clock = VirtualClock::default();
    run(async {
        let mut looker = Looker::at(&url, &clock, &services).await;
        looker.after(SECOND).await;
        let (_, after_15s) = looker.after(15 * SECOND).await;
        assert_eq!(after_15s.get("DescribeTasks"), Some(&1), "{after_15s:?}");
        assert_eq!(after_15s.get("ListTasks"), None, "{after_15s:?}");
        let (looks, after_60s) = looker.after(60 * SECOND).await;
        assert_eq!(after_60s.get("ListTasks"), Some(&2), "{after_60s:?}");
        // An instance may drain: a minute is the longest that it would not be seen.
        assert_eq!(after_60s.get("DescribeContainerInstances"), Some(&1), "{after_60s:?}");
        assert!(looks[0].snapshot.as_ref().unwrap().is_partly_remembered || after_60s.len() == 6);
        looker.watches[0].wants_everything = true;
        let (looks, everything) = looker.after(SECOND).await;
        assert!(!looks[0].snapshot.as_ref().unwrap().is_partly_remembered);
        for action in ["DescribeServices", "DescribeTasks", "DescribeTargetHealth"] {
            assert_eq!(everything.get(action), Some(&1), "{everything:?}");
        }
        assert_eq!(everything.get("ListTasks"), Some(&2));
    });
}

#[test]
fn a_new_task_is_listed_as_soon_as_the_counts_tell_of_it() {
    let services = thirty()[..1].to_vec();
    let url = served(&services, &json!({}));
    let clock = VirtualClock::default();
    run(async {
        let mut looker = Looker::at(&url, &clock, &services).await;
        let (looks, _) = looker.after(SECOND).await;
        let snapshot = looks[0].snapshot.as_ref().unwrap();
        let update = portzero_core::aws_model::service::ServiceUpdate {
            cluster: looker.watches[0].cluster.clone(),
            service: looker.watches[0].service.clone(),
            task_definition: snapshot.service.as_ref().unwrap().task_definition.clone().unwrap(),
            force_new_deployment: true,
        };
        looker.aws.update_service(&update).await.expect("updated");
        let mut known = 0;
        for _ in 0..30 {
            control(&url, "POST", "advance", r#"{"by": "2s"}"#);
            let (looks, _) = looker.after(2 * SECOND).await;
            let snapshot = looks[0].snapshot.as_ref().unwrap();
            let service = snapshot.service.as_ref().unwrap();
            let counted = service.running_count + service.pending_count;
            let open = snapshot
                .tasks
                .iter()
                .filter(|t| t.desired_status.as_str() == "RUNNING")
                .count();
            assert_eq!(open, counted as usize, "the look shows as many tasks as ECS counts");
            known = known.max(open);
        }
        assert_eq!(known, 8);
    });
}

#[test]
fn what_cannot_be_read_hides_only_those_who_need_it() {
    let services: Vec<Spec> = ["a", "b"]
        .map(|name| (name.to_owned(), "c", Some(name.to_owned()), 1))
        .into();
    let url = served(&services, &json!({}));
    let clock = VirtualClock::default();
    run(async {
        let mut looker = Looker::at(&url, &clock, &services).await;
        // One of the two groups is gone.
        looker.watches[0].groups = vec![format!("{}x", looker.watches[0].groups[0]).into()];
        let (looks, _) = looker.after(SECOND).await;
        let error = looks[0].snapshot.as_ref().expect_err("its target group is not there");
        assert_eq!(error.kind, ApiErrorKind::NotFound);
        assert!(looks[1].snapshot.is_ok());
    });
}
