//! Elastic Load Balancing behind its port.

use std::time::Duration;

use aws_sdk_elasticloadbalancingv2::types as sdk;
use portzero_core::aws_model::target::{HealthCheck, InstanceHealth, Routing, TargetGroup, TargetHealth};
use portzero_core::base::id::{TargetGroupArn, TargetKey};
use portzero_core::port::{ApiResult, Clock, LoadBalancing};

use super::call::Pages;
use super::connection::Connection;
use super::read_classic;
use crate::adapters::aws::error::Call;
use crate::adapters::aws::read::port;

/// A service has at most five target groups; a run with many services shares the account's rate, so few big calls.
const TARGET_GROUPS_MAX: usize = 50;

impl<C: Clock> LoadBalancing for Connection<C> {
    async fn describe_target_groups(&self, arns: &[TargetGroupArn]) -> ApiResult<Vec<TargetGroup>> {
        let mut groups = Vec::new();
        for batch in arns.chunks(TARGET_GROUPS_MAX) {
            let names: Vec<&str> = batch.iter().map(TargetGroupArn::name).collect();
            let call = Call::read("elasticloadbalancing:DescribeTargetGroups").on(names.join(", "));
            let wanted: Vec<String> = batch.iter().map(ToString::to_string).collect();
            let mut pages = Pages::default();
            loop {
                let answer = self
                    .call(call.clone(), || {
                        self.balancing
                            .describe_target_groups()
                            .set_target_group_arns(Some(wanted.clone()))
                            .set_marker(pages.token())
                            .send()
                    })
                    .await?;
                groups.extend(answer.target_groups().iter().map(target_group));
                if !pages.turn(&call, answer.next_marker())? {
                    break;
                }
            }
        }
        Ok(groups)
    }

    async fn describe_target_health(&self, arn: &TargetGroupArn) -> ApiResult<Vec<TargetHealth>> {
        let call = Call::read("elasticloadbalancing:DescribeTargetHealth").on(arn.name());
        let answer = self
            .call(call, || {
                self.balancing
                    .describe_target_health()
                    .target_group_arn(arn.as_str())
                    .send()
            })
            .await?;
        Ok(answer.target_health_descriptions().iter().map(target_health).collect())
    }

    async fn routing(&self, load_balancers: &[String]) -> ApiResult<Routing> {
        self.read_routing(load_balancers).await
    }

    async fn deregistration_delay(&self, group: &TargetGroupArn) -> ApiResult<Option<Duration>> {
        if let Some(balancer) = group.classic_name() {
            return self.connection_draining(balancer).await;
        }
        let call = Call::read("elasticloadbalancing:DescribeTargetGroupAttributes").on(group.name());
        let answer = self
            .call(call, || {
                self.balancing
                    .describe_target_group_attributes()
                    .target_group_arn(group.as_str())
                    .send()
            })
            .await?;
        Ok(delay(answer.attributes()))
    }

    async fn describe_classic_load_balancers(&self, names: &[String]) -> ApiResult<Vec<TargetGroup>> {
        let call = Call::read("elasticloadbalancing:DescribeLoadBalancers").on(names.join(", "));
        let answer = self
            .call(call, || {
                self.classic_balancing
                    .describe_load_balancers()
                    .set_load_balancer_names(Some(names.to_vec()))
                    .send()
            })
            .await?;
        let found = answer.load_balancer_descriptions().iter();
        Ok(found.map(read_classic::load_balancer).collect())
    }

    async fn describe_instance_health(&self, balancer: &str) -> ApiResult<Vec<InstanceHealth>> {
        let call = Call::read("elasticloadbalancing:DescribeInstanceHealth").on(balancer);
        let answer = self
            .call(call, || {
                self.classic_balancing
                    .describe_instance_health()
                    .load_balancer_name(balancer)
                    .send()
            })
            .await?;
        Ok(answer.instance_states().iter().map(read_classic::instance).collect())
    }
}

impl<C: Clock> Connection<C> {
    /// A classic load balancer's name for the deregistration delay.
    async fn connection_draining(&self, balancer: &str) -> ApiResult<Option<Duration>> {
        let call = Call::read("elasticloadbalancing:DescribeLoadBalancerAttributes").on(balancer);
        let answer = self
            .call(call, || {
                self.classic_balancing
                    .describe_load_balancer_attributes()
                    .load_balancer_name(balancer)
                    .send()
            })
            .await?;
        Ok(answer.load_balancer_attributes().and_then(read_classic::draining))
    }
}

fn target_group(group: &sdk::TargetGroup) -> TargetGroup {
    TargetGroup {
        arn: group.target_group_arn().unwrap_or_default().into(),
        name: group.target_group_name().unwrap_or_default().to_owned(),
        target_type: group.target_type().map_or("", |t| t.as_str()).into(),
        ip_address_type: group.ip_address_type().map(|t| t.as_str().into()),
        port: group.port().map(port),
        vpc_id: group.vpc_id().map(str::to_owned),
        health_check: health_check(group),
        load_balancers: group.load_balancer_arns().to_vec(),
        deregistration_delay: None,
    }
}

fn health_check(group: &sdk::TargetGroup) -> HealthCheck {
    let number = |n: Option<i32>| n.and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
    let seconds = |n: Option<i32>| Duration::from_secs(u64::from(number(n)));
    HealthCheck {
        // Absent in answers from before a check could be switched off.
        enabled: group.health_check_enabled().unwrap_or(true),
        protocol: group.health_check_protocol().map(|p| p.as_str().to_owned()),
        port: group.health_check_port().map(str::to_owned),
        path: group.health_check_path().map(str::to_owned),
        interval: seconds(group.health_check_interval_seconds()),
        timeout: seconds(group.health_check_timeout_seconds()),
        healthy_threshold: number(group.healthy_threshold_count()),
        unhealthy_threshold: number(group.unhealthy_threshold_count()),
        matcher: group
            .matcher()
            .and_then(|m| m.http_code().or(m.grpc_code()))
            .map(str::to_owned),
    }
}

fn target_health(row: &sdk::TargetHealthDescription) -> TargetHealth {
    let target = row.target();
    let health = row.target_health();
    TargetHealth {
        key: TargetKey::new(
            target.map_or("", |t| t.id().unwrap_or_default()),
            // A Lambda function has none.
            target.and_then(|t| t.port()).map(port).unwrap_or_default(),
        ),
        state: health.and_then(|h| h.state()).map_or("", |s| s.as_str()).into(),
        reason: health.and_then(|h| h.reason()).map(|r| r.as_str().to_owned()),
        description: health.and_then(|h| h.description()).map(str::to_owned),
    }
}

fn delay(attributes: &[sdk::TargetGroupAttribute]) -> Option<Duration> {
    let value = attributes
        .iter()
        .find(|a| a.key() == Some("deregistration_delay.timeout_seconds"))?
        .value()?;
    value.parse().ok().map(Duration::from_secs)
}
