//! The adapters against moto, a stand-in for AWS that others wrote: every port method answers, or says honestly why not.

use portzero::adapters::aws::Connection;
use portzero_core::aws_model::service::{ServiceStatus, ServiceUpdate};
use portzero_core::base::id::{ClusterName, ServiceName};
use portzero_core::port::{ApiErrorKind, Ecs, LoadBalancing};
use serde_json::{Value, json};

use crate::support::emulators::MotoServer;
use crate::support::{VirtualClock, connect, run};

/// A cluster and a service, made with the SDK, since the ports make none.
async fn furnish(url: &str, revision: &str) {
    let credentials = aws_credential_types::Credentials::new("x", "x", None, None, "test");
    let config = aws_sdk_ecs::Config::builder()
        .behavior_version(aws_config::BehaviorVersion::latest())
        .region(aws_config::Region::new("us-east-1"))
        .credentials_provider(credentials)
        .endpoint_url(url)
        .build();
    let ecs = aws_sdk_ecs::Client::from_conf(config);
    ecs.create_cluster()
        .cluster_name("staging")
        .send()
        .await
        .expect("a cluster");
    ecs.create_service()
        .cluster("staging")
        .service_name("web")
        .task_definition(revision)
        .desired_count(2)
        .send()
        .await
        .expect("a service");
}

fn document() -> Value {
    json!({
        "family": "web",
        "containerDefinitions": [
            {"name": "web", "image": "nginx:1", "memory": 128, "portMappings": [{"containerPort": 80, "hostPort": 0}]}
        ],
        "tags": [{"key": "team", "value": "web"}]
    })
}

async fn kinds_of_what_is_missing(aws: &Connection<&VirtualClock>) -> Vec<ApiErrorKind> {
    let (nowhere, web) = (ClusterName::from("nowhere"), ServiceName::from("web"));
    let staging = ClusterName::from("staging");
    vec![
        aws.list_services(&nowhere).await.expect_err("no cluster").kind,
        aws.describe_task_definition("nothing")
            .await
            .expect_err("no family")
            .kind,
        aws.describe_target_health(&"arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/x/1".into())
            .await
            .expect_err("no target group")
            .kind,
        aws.service_deployments(&staging, &web)
            .await
            .expect_err("moto lacks it")
            .kind,
        aws.roll_back("arn:aws:ecs:us-east-1:123456789012:service-deployment/staging/web/x")
            .await
            .expect_err("moto lacks it")
            .kind,
        aws.service_revisions(&["arn:aws:ecs:us-east-1:123456789012:service-revision/staging/web/1".into()])
            .await
            .expect_err("moto lacks it")
            .kind,
    ]
}

#[test]
fn every_port_method_answers_on_moto_or_says_why_not() {
    let Some(moto) = MotoServer::start() else { return };
    let clock = VirtualClock::default();
    run(async {
        let aws = connect(&moto.url, &clock).await;
        let first = aws
            .register_task_definition(&document())
            .await
            .expect("registered")
            .revision
            .arn;
        furnish(&moto.url, first.as_str()).await;
        let (cluster, web) = (ClusterName::from("staging"), ServiceName::from("web"));

        assert_eq!(
            aws.list_clusters().await.expect("clusters"),
            std::slice::from_ref(&cluster)
        );
        assert_eq!(
            aws.list_services(&cluster).await.expect("services"),
            std::slice::from_ref(&web)
        );

        let described = aws
            .describe_services(&cluster, &[web.clone(), "api".into()])
            .await
            .expect("services");
        assert_eq!(described.services[0].status, ServiceStatus::Active);
        assert_eq!(described.missing, ["api"]);

        let registered = aws.describe_task_definition("web").await.expect("the newest");
        assert_eq!(
            registered.document["containerDefinitions"][0]["portMappings"][0]["hostPort"],
            0
        );
        assert_eq!(registered.document["tags"], document()["tags"]);

        let second = aws
            .register_task_definition(&document())
            .await
            .expect("registered")
            .revision
            .arn;
        let updated = aws
            .update_service(&ServiceUpdate {
                cluster: cluster.clone(),
                service: web.clone(),
                task_definition: second.clone(),
                force_new_deployment: true,
            })
            .await
            .expect("updated");
        assert_eq!(
            (&updated.task_definition, updated.desired_count),
            (&Some(second.clone()), 2)
        );

        let revisions = aws.active_revisions("web").await.expect("revisions");
        assert_eq!(revisions, [second.clone(), first.clone()], "the newest first");
        aws.deregister_task_definition(&first).await.expect("deregistered");
        assert_eq!(aws.active_revisions("web").await.expect("revisions"), [second]);

        assert_eq!(aws.list_tasks(&cluster, &web).await.expect("tasks"), []);
        assert_eq!(aws.list_container_instances(&cluster).await.expect("instances"), []);
        assert_eq!(aws.describe_tasks(&cluster, &[]).await.expect("none asked for"), []);

        use ApiErrorKind::{NotFound, Unsupported};
        assert_eq!(
            kinds_of_what_is_missing(&aws).await,
            [NotFound, NotFound, NotFound, Unsupported, Unsupported, Unsupported]
        );
    });
}
