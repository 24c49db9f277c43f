//! Elastic Load Balancing behind its port.

use std::time::Duration;

use aws_sdk_elasticloadbalancingv2::types as sdk;

use super::call::Call;
use super::connection::Connection;
use super::read_ecs::port;
use crate::id::{TargetGroupArn, TargetKey};
use crate::port::{ApiErrorKind, ApiResult, Clock, LoadBalancing};
use crate::target::{HealthCheck, TargetGroup, TargetHealth};

/// A service has at most five target groups; a run with many services shares the account's rate, so few big calls.
const TARGET_GROUPS_MAX: usize = 50;

impl<C: Clock> LoadBalancing for Connection<C> {
    async fn describe_target_groups(&self, arns: &[TargetGroupArn]) -> ApiResult<Vec<TargetGroup>> {
        let mut groups = Vec::new();
        for batch in arns.chunks(TARGET_GROUPS_MAX) {
            let names: Vec<&str> = batch.iter().map(TargetGroupArn::name).collect();
            let call = Call::read("elasticloadbalancing:DescribeTargetGroups").on(names.join(", "));
            let wanted: Vec<String> = batch.iter().map(ToString::to_string).collect();
            let mut page = None;
            loop {
                let answer = self
                    .call(call.clone(), || {
                        self.balancing
                            .describe_target_groups()
                            .set_target_group_arns(Some(wanted.clone()))
                            .set_marker(page.clone())
                            .send()
                    })
                    .await?;
                groups.extend(answer.target_groups().iter().map(target_group));
                page = answer.next_marker().filter(|m| !m.is_empty()).map(str::to_owned);
                if page.is_none() {
                    break;
                }
            }
        }
        for group in &mut groups {
            group.deregistration_delay = self.deregistration_delay(&group.arn).await?;
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
}

impl<C: Clock> Connection<C> {
    /// Optional knowledge: without it the forecast is poorer, and nothing else.
    async fn deregistration_delay(&self, arn: &TargetGroupArn) -> ApiResult<Option<Duration>> {
        let call = Call::read("elasticloadbalancing:DescribeTargetGroupAttributes").on(arn.name());
        let answer = self
            .call(call, || {
                self.balancing
                    .describe_target_group_attributes()
                    .target_group_arn(arn.as_str())
                    .send()
            })
            .await;
        match answer {
            Ok(answer) => Ok(delay(answer.attributes())),
            Err(error) if matches!(error.kind, ApiErrorKind::Denied | ApiErrorKind::Unsupported) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn target_group(group: &sdk::TargetGroup) -> TargetGroup {
    TargetGroup {
        arn: group.target_group_arn().unwrap_or_default().into(),
        name: group.target_group_name().unwrap_or_default().to_owned(),
        target_type: group.target_type().map_or("", |t| t.as_str()).into(),
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
        key: TargetKey {
            id: target.map_or("", |t| t.id().unwrap_or_default()).to_owned(),
            // A Lambda function has none.
            port: target.and_then(|t| t.port()).map(port).unwrap_or_default(),
        },
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
