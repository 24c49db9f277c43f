//! The ports of the load balancers and of the logs straight on the world.

use std::time::Duration;

use portzero_core::aws_model::target::{InstanceHealth, Routing, TargetGroup, TargetHealth};
use portzero_core::aws_model::task::LogStream;
use portzero_core::base::id::TargetGroupArn;
use portzero_core::port::{ApiError, ApiResult, LoadBalancing, Logs};
use portzero_sim::model::refusal::Refusal;
use portzero_sim::model::state::{Account, ClassicBalancer};

use crate::{Access, Answer, InProcessAws, translate};

impl LoadBalancing for InProcessAws {
    async fn describe_target_groups(&self, arns: &[TargetGroupArn]) -> ApiResult<Vec<TargetGroup>> {
        self.admit("elasticloadbalancing:DescribeTargetGroups")?;
        let account = self.seen(Access::Read);
        let mut groups = Vec::new();
        for arn in arns {
            let group = account.target_groups.get(arn.as_str());
            groups.push(translate::group(
                group.ok_or_else(|| no_group("elasticloadbalancing:DescribeTargetGroups", arn))?,
            ));
        }
        self.permute(&mut groups);
        Ok(groups)
    }

    async fn describe_target_health(&self, arn: &TargetGroupArn) -> ApiResult<Vec<TargetHealth>> {
        self.admit("elasticloadbalancing:DescribeTargetHealth")?;
        let account = self.seen(Access::Read);
        let group = account.target_groups.get(arn.as_str());
        let group = group.ok_or_else(|| self.failed(no_group("elasticloadbalancing:DescribeTargetHealth", arn)))?;
        let mut rows: Vec<TargetHealth> = group
            .targets
            .iter()
            .map(|target| translate::health(&account, target))
            .collect();
        self.listed(&mut rows);
        self.note(|| Answer::Targets(arn.clone(), rows.clone()));
        Ok(rows)
    }

    async fn routing(&self, load_balancers: &[String]) -> ApiResult<Routing> {
        if load_balancers.is_empty() {
            return Ok(Routing::default());
        }
        let action = "elasticloadbalancing:DescribeRules";
        self.admit(action)?;
        let account = self.seen(Access::Read);
        let mut rules = Vec::new();
        for arn in load_balancers {
            let balancer = account.load_balancers.get(arn).ok_or_else(|| {
                let refusal = Refusal::new("LoadBalancerNotFound", "One or more load balancers not found");
                self.failed(translate::error(action, Some(arn), refusal))
            })?;
            rules.extend(translate::rules_of(balancer));
        }
        self.permute(&mut rules);
        Ok(Routing {
            rules,
            ..Routing::default()
        })
    }

    async fn deregistration_delay(&self, group: &TargetGroupArn) -> ApiResult<Option<Duration>> {
        self.admit("elasticloadbalancing:DescribeTargetGroupAttributes")?;
        let account = self.seen(Access::Read);
        let group = account.target_groups.get(group.as_str());
        Ok(group.map(|group| group.deregistration_delay))
    }

    async fn describe_classic_load_balancers(&self, names: &[String]) -> ApiResult<Vec<TargetGroup>> {
        self.admit("elasticloadbalancing:DescribeLoadBalancers")?;
        let account = self.seen(Access::Read);
        let found = names
            .iter()
            .map(|name| classic(&account, name).map(translate::classic_balancer));
        found.collect()
    }

    async fn describe_instance_health(&self, balancer: &str) -> ApiResult<Vec<InstanceHealth>> {
        self.admit("elasticloadbalancing:DescribeInstanceHealth")?;
        let account = self.seen(Access::Read);
        let group = &classic(&account, balancer)?.group;
        let mut rows: Vec<InstanceHealth> = group.targets.iter().map(translate::instance_health).collect();
        self.listed(&mut rows);
        Ok(rows)
    }
}

fn classic<'a>(account: &'a Account, name: &str) -> ApiResult<&'a ClassicBalancer> {
    account.classic_balancers.get(name).ok_or_else(|| {
        let words = format!("There is no ACTIVE Load Balancer named '{name}'");
        let refusal = Refusal::new("LoadBalancerNotFound", words);
        translate::error("elasticloadbalancing:DescribeLoadBalancers", Some(name), refusal)
    })
}

impl Logs for InProcessAws {
    async fn last_lines(&self, stream: &LogStream, limit: u16) -> ApiResult<Vec<String>> {
        self.admit("logs:GetLogEvents")?;
        let printed = self.world.borrow().printed(&stream.group, &stream.name);
        let printed =
            printed.map_err(|refusal| translate::error("logs:GetLogEvents", Some(stream.name.as_str()), refusal))?;
        let older = printed.len().saturating_sub(usize::from(limit));
        Ok(printed.into_iter().skip(older).map(|one| one.line).collect())
    }
}

fn no_group(action: &'static str, arn: &TargetGroupArn) -> ApiError {
    let refusal = Refusal::new("TargetGroupNotFound", "One or more target groups not found");
    translate::error(action, Some(arn.as_str()), refusal)
}
