//! Targets that never come into use: a target group that gets no traffic, a zone that the load balancer does not serve,
//! a target in another VPC.

use std::collections::{BTreeMap, BTreeSet};

use crate::aws_model::service::ServiceEvent;
use crate::aws_model::target::{TargetHealth, TargetState};
use crate::aws_model::task::Task;
use crate::base::finding::{Code, Finding};
use crate::base::id::TargetGroupArn;
use crate::base::text::{contains, counted};
use crate::rollout::scope::Scope;
use crate::rollout::view::View;
use crate::rollout::view::snapshot::{Place, Snapshot};

#[derive(Clone, Debug, Default)]
pub(super) struct Registration {
    idle: Option<Idle>,
    refused: Option<Refused>,
    /// The VPCs of the instances that our tasks run on.
    vpcs: BTreeSet<String>,
}

/// Targets of ours that their group says will never be used.
#[derive(Clone, Debug)]
struct Idle {
    place: Place,
    row: TargetHealth,
    /// How many looks in a row have shown such a one.
    looks: u32,
    zones: BTreeSet<String>,
    old: usize,
}

/// ECS could not register targets.
#[derive(Clone, Debug)]
struct Refused {
    group: TargetGroupArn,
    error: String,
}

impl Refused {
    fn is_other_vpc(&self) -> bool {
        contains(&self.error, "not in the target group VPC")
    }
}

fn is_idle(row: &TargetHealth) -> bool {
    row.state == TargetState::Unused && row.reason.as_deref() == Some("Target.NotInUse")
}

impl Registration {
    pub(super) fn collect(&mut self, snapshot: &Snapshot, view: &View, owners: &BTreeMap<Place, &Task>) {
        let idle = |row: &Option<&TargetHealth>| row.is_some_and(is_idle);
        let ours: Vec<&Place> = view
            .new_targets
            .iter()
            .filter(|(_, row)| idle(row))
            .map(|(place, _)| place)
            .collect();
        let looks = self.idle.as_ref().map_or(0, |idle| idle.looks);
        self.idle = ours.first().and_then(|place| {
            let row = view.new_targets.get(*place)?.as_ref()?;
            let zones = ours.iter().filter_map(|place| owners.get(*place)?.zone.clone());
            let old = view
                .old_targets
                .iter()
                .filter(|((group, _), row)| *group == place.0 && is_idle(row));
            Some(Idle {
                place: (*place).clone(),
                row: (*row).clone(),
                looks: looks + 1,
                zones: zones.collect(),
                old: old.count(),
            })
        });
        let known = snapshot.instances.as_ref();
        let homes = view
            .new_tasks
            .values()
            .filter_map(|task| task.container_instance.as_ref());
        self.vpcs.extend(homes.filter_map(|arn| known?.get(arn)?.vpc.clone()));
    }

    /// `service web failed to register targets in target-group ARN with (error InvalidTarget: …)`.
    pub(super) fn hear(&mut self, event: &ServiceEvent) {
        let Some(rest) = event
            .message
            .split("failed to register targets in target-group ")
            .nth(1)
        else {
            return;
        };
        let Some((group, error)) = rest.split_once(" with (error ") else {
            return;
        };
        self.refused = Some(Refused {
            group: group.trim_matches(['(', ')']).into(),
            error: error.trim_end_matches([')', '.']).to_owned(),
        });
    }

    pub(crate) fn is_anything(&self) -> bool {
        self.idle.is_some() || self.refused.is_some()
    }

    /// Whether ECS has said that it could not register a target of ours.
    pub(super) fn was_refused(&self) -> bool {
        self.refused.is_some()
    }

    /// Settings that are wrong, whatever the tasks do.
    pub(crate) fn is_certain(&self) -> bool {
        self.idle.as_ref().is_some_and(|idle| idle.looks > 1)
            || self.refused.as_ref().is_some_and(Refused::is_other_vpc)
    }

    /// Whether waiting is of no use: no instance changes its VPC, and a zone that is not enabled stays so.
    pub(crate) fn is_hopeless(&self, view: &View) -> bool {
        let is_registered = |refused: &Refused| {
            view.new_targets
                .iter()
                .any(|((group, _), row)| *group == refused.group && row.is_some())
        };
        let is_refused = self
            .refused
            .as_ref()
            .is_some_and(|refused| refused.is_other_vpc() && !is_registered(refused));
        is_refused || self.idle.as_ref().is_some_and(|idle| idle.looks > 1)
    }

    pub(super) fn line(&self) -> String {
        match (&self.refused, &self.idle) {
            (Some(refused), _) => format!("ECS cannot register targets in target group `{}`", refused.group.name()),
            (None, Some(idle)) => format!("targets of target group `{}` are not in use", idle.place.0.name()),
            (None, None) => String::new(),
        }
    }

    pub(super) fn finding(&self, scope: &Scope) -> Finding {
        match (&self.refused, &self.idle) {
            (Some(refused), _) if refused.is_other_vpc() => self.other_vpc(refused, scope),
            (_, Some(idle)) => idle.finding(scope),
            (Some(refused), None) => Finding::error(
                Code::RegistrationFailed,
                format!("ECS cannot register new tasks of `{}` in target group `{}`", scope.service, refused.group.name()),
            )
            .evidence("ecs", refused.error.clone())
            .hint("see what the service's role (AWSServiceRoleForECS) may do, and whether the target group takes such targets"),
            (None, None) => Finding::error(Code::RegistrationFailed, "targets are not registered"),
        }
    }

    fn other_vpc(&self, refused: &Refused, scope: &Scope) -> Finding {
        let name = refused.group.name();
        let of_group = scope
            .target_groups
            .get(&refused.group)
            .and_then(|group| group.vpc_id.clone())
            .or_else(|| refused.error.split('\'').nth(1).map(str::to_owned));
        let of_group = of_group.unwrap_or_else(|| "not known".into());
        let theirs: Vec<&str> = self
            .vpcs
            .iter()
            .map(String::as_str)
            .filter(|vpc| **vpc != of_group)
            .collect();
        let theirs = match theirs.as_slice() {
            [] => "another one: the subnets of the service are not in it".to_owned(),
            all => all.join(", "),
        };
        let summary = format!(
            "new tasks of `{}` are in another VPC than target group `{name}`, so they never get traffic from it",
            scope.service
        );
        Finding::error(Code::RegistrationFailed, summary)
            .evidence("tasks in", theirs)
            .evidence("group in", of_group)
            .evidence("ecs", refused.error.clone())
            .hint("run the service in the VPC of its load balancer, or give it a target group and a load balancer in its own")
    }
}

impl Idle {
    fn finding(&self, scope: &Scope) -> Finding {
        let name = self.place.0.name();
        let words = self.row.description.clone().unwrap_or_else(|| "Target.NotInUse".into());
        let zones: Vec<&str> = self.zones.iter().map(String::as_str).collect();
        let zones = zones.join(", ");
        let is_zone = contains(&words, "Availability Zone");
        let summary = match (is_zone, zones.is_empty()) {
            (true, false) => format!(
                "the load balancer does not serve {zones}, where new tasks of `{}` run",
                scope.service
            ),
            (true, true) => format!(
                "the load balancer does not serve the Availability Zone of new tasks of `{}`",
                scope.service
            ),
            (false, _) => format!("target group `{name}` never gets traffic: no listener forwards to it"),
        };
        let mut finding = Finding::error(Code::TargetGroupNotInUse, summary).evidence(
            "target",
            format!("{} in `{name}` is {}: {words}", self.place.1, self.row.state.as_str()),
        );
        if let (Some(previous), 1..) = (&scope.previous, self.old) {
            let text = format!("{}: {} unused as well", previous.short(), counted(self.old, "target"));
            finding = finding.evidence("old", text);
        }
        if !is_zone {
            return finding.hint(format!("forward to target group `{name}` from a listener or a rule"));
        }
        let zone = if zones.is_empty() { "the zone".to_owned() } else { zones };
        finding
            .hint(format!("enable {zone} on the load balancer, with a subnet in it"))
            .hint("or keep the tasks out of it (the service's subnets, or a placement constraint)")
    }
}
