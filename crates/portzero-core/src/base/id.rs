//! Names of things, as newtypes, so that a task definition is never passed where a deployment is wanted.

use std::fmt;
use std::net::Ipv6Addr;

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Takes the text as it is.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The text as it was taken.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }
    )*};
}

names! {
    /// A cluster's short name (an ARN is cut down to it when it is read).
    ClusterName;
    /// A service's short name.
    ServiceName;
    /// `arn:aws:ecs:R:A:task-definition/FAMILY:REVISION`.
    TaskDefinitionArn;
    /// `ecs-svc/NUMBER`, the id of ECS's deployment object; the tasks that it starts carry it as `startedBy`.
    DeploymentId;
    /// `arn:aws:ecs:R:A:task/CLUSTER/ID`.
    TaskArn;
    /// `arn:aws:ecs:R:A:container-instance/CLUSTER/ID`.
    ContainerInstanceArn;
    /// `arn:aws:elasticloadbalancing:R:A:targetgroup/NAME/ID`.
    TargetGroupArn;
}

impl TaskDefinitionArn {
    /// `web:42`, the form that people use.
    pub fn short(&self) -> &str {
        last_segment(self.as_str())
    }

    /// The name before the revision: `web`.
    pub fn family(&self) -> &str {
        self.short().split(':').next().unwrap_or_default()
    }

    /// The number behind the family; `None` where the text has none.
    pub fn revision(&self) -> Option<u64> {
        self.short().rsplit_once(':')?.1.parse().ok()
    }
}

impl DeploymentId {
    const PREFIX: &str = "ecs-svc/";

    /// The deployment that a service revision (ARN or number) belongs to: both carry the same number at their end.
    pub fn of_revision(revision: &str) -> Self {
        Self(format!("{}{}", Self::PREFIX, last_segment(revision)))
    }

    /// It has ECS's own form.
    pub(crate) fn is_of_ecs(&self) -> bool {
        self.0.starts_with(Self::PREFIX)
    }

    /// The number that the id ends with.
    pub fn number(&self) -> &str {
        last_segment(&self.0)
    }
}

impl TaskArn {
    /// The task's id without account, region and cluster.
    pub fn short(&self) -> &str {
        last_segment(self.as_str())
    }
}

impl ContainerInstanceArn {
    /// The instance's id without account, region and cluster.
    pub fn short(&self) -> &str {
        last_segment(self.as_str())
    }
}

impl TargetGroupArn {
    /// The target group's name: the segment after `targetgroup/`.
    pub fn name(&self) -> &str {
        self.as_str().split('/').nth(1).unwrap_or(self.as_str())
    }

    /// What stands for a classic load balancer among the target groups: the tail of its ARN.
    pub fn of_classic(name: &str) -> Self {
        Self(format!("{CLASSIC}{name}"))
    }

    /// The classic load balancer's name, where it is one.
    pub fn classic_name(&self) -> Option<&str> {
        self.0.strip_prefix(CLASSIC)
    }
}

const CLASSIC: &str = "loadbalancer/";

impl ClusterName {
    /// The short name of a cluster given by name or ARN.
    pub fn from_reference(reference: &str) -> Self {
        Self(last_segment(reference).to_owned())
    }
}

impl ServiceName {
    /// The short name of a service given by name or ARN (old ARNs lack the cluster).
    pub fn from_reference(reference: &str) -> Self {
        Self(last_segment(reference).to_owned())
    }
}

/// One target of a target group. An instance that runs two tasks is two targets, so the id alone is no key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TargetKey {
    /// An EC2 instance id, or an IP address where the target group's type is `ip`. An IPv6 address is in its shortest form.
    pub id: String,
    /// 0 behind a classic load balancer, which knows whole instances.
    pub port: u16,
}

impl TargetKey {
    /// A target by what it is registered with. ECS and the load balancers need not write an IPv6 address alike.
    pub fn new(id: impl Into<String>, port: u16) -> Self {
        let id = id.into();
        let id = id.parse::<Ipv6Addr>().map_or(id, |address| address.to_string());
        Self { id, port }
    }
}

impl fmt::Display for TargetKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            0 => f.write_str(&self.id),
            port if self.id.contains(':') => write!(f, "[{}]:{port}", self.id),
            port => write!(f, "{}:{port}", self.id),
        }
    }
}

/// What stands behind the last slash of an ARN or a path; all of it where there is no slash.
pub fn last_segment(text: &str) -> &str {
    text.rsplit('/').next().unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_definition_arn_is_read_in_parts() {
        let arn = TaskDefinitionArn::from("arn:aws:ecs:us-east-1:111122223333:task-definition/web:42");
        assert_eq!((arn.short(), arn.family(), arn.revision()), ("web:42", "web", Some(42)));
    }

    #[test]
    fn t04_an_ipv6_address_is_one_target_however_it_is_written() {
        let short = TargetKey::new("2600:1f18:3aa:1000::5", 80);
        for other in ["2600:1F18:03AA:1000:0000:0000:0000:0005", "2600:1f18:3aa:1000:0::5"] {
            assert_eq!(TargetKey::new(other, 80), short);
        }
        assert_ne!(TargetKey::new("2600:1f18:3aa:1000::6", 80), short);
        assert_eq!(short.to_string(), "[2600:1f18:3aa:1000::5]:80");
        assert_eq!(TargetKey::new("10.0.0.7", 80).to_string(), "10.0.0.7:80");
        assert_eq!(TargetKey::new("i-0a1b", 0).to_string(), "i-0a1b");
    }

    #[test]
    fn a_target_group_is_called_by_its_name() {
        let arn = TargetGroupArn::from(
            "arn:aws:elasticloadbalancing:us-east-1:111122223333:targetgroup/web/50dc6c495c0c9188",
        );
        assert_eq!(arn.name(), "web");
    }
}
