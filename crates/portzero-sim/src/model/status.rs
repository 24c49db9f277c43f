//! The states of AWS that the simulator itself compares. Each knows a value that AWS's published model does not have:
//! the fault `unknown-enum` shows such ones.

use std::fmt;

use serde::{Serialize, Serializer};

macro_rules! aws_enum {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$doc])* #[doc = concat!("`", $text, "`")] $variant,)+
            /// Any other value.
            Unknown(String),
        }

        impl $name {
            /// As AWS spells it.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Unknown(text) => text,
                }
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                match text {
                    $($text => Self::$variant,)+
                    other => Self::Unknown(other.to_owned()),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}

aws_enum! {
    /// `lastStatus` and `desiredStatus` of a task, and `lastStatus` of a container.
    TaskStatus {
        Provisioning = "PROVISIONING",
        Pending = "PENDING",
        Activating = "ACTIVATING",
        Running = "RUNNING",
        Deactivating = "DEACTIVATING",
        Stopping = "STOPPING",
        Deprovisioning = "DEPROVISIONING",
        Stopped = "STOPPED",
    }
}

aws_enum! {
    /// `healthStatus` of a task, by its container health checks.
    HealthStatus {
        /// No check has come to a result, or there is none.
        Undetermined = "UNKNOWN",
        Healthy = "HEALTHY",
        Unhealthy = "UNHEALTHY",
    }
}

aws_enum! {
    /// `status` of a service.
    ServiceStatus {
        Active = "ACTIVE",
        Draining = "DRAINING",
        Inactive = "INACTIVE",
    }
}

aws_enum! {
    /// `status` of a container instance.
    InstanceStatus {
        Active = "ACTIVE",
        Draining = "DRAINING",
    }
}

aws_enum! {
    /// `status` of a deployment of a service.
    DeploymentStatus {
        /// The newest one.
        Primary = "PRIMARY",
        /// An older one that still has tasks.
        Active = "ACTIVE",
    }
}

aws_enum! {
    /// `rolloutState` of a deployment.
    RolloutState {
        InProgress = "IN_PROGRESS",
        Completed = "COMPLETED",
        Failed = "FAILED",
    }
}

aws_enum! {
    /// `status` of a service deployment.
    ServiceDeploymentStatus {
        Pending = "PENDING",
        InProgress = "IN_PROGRESS",
        Successful = "SUCCESSFUL",
        Stopped = "STOPPED",
        StopRequested = "STOP_REQUESTED",
        RollbackRequested = "ROLLBACK_REQUESTED",
        RollbackInProgress = "ROLLBACK_IN_PROGRESS",
        RollbackSuccessful = "ROLLBACK_SUCCESSFUL",
        RollbackFailed = "ROLLBACK_FAILED",
    }
}

aws_enum! {
    /// `TargetHealth.State` of a target.
    TargetState {
        Initial = "initial",
        Healthy = "healthy",
        Unhealthy = "unhealthy",
        /// No listener forwards to its group, or its zone is not enabled.
        Unused = "unused",
        Draining = "draining",
        /// Its group has no health check.
        Unavailable = "unavailable",
    }
}

impl TargetState {
    /// Whether the target gets traffic as a healthy one does. One that nobody checks does.
    pub(crate) fn counts_as_healthy(&self) -> bool {
        matches!(self, Self::Healthy | Self::Unavailable)
    }
}

impl ServiceDeploymentStatus {
    /// Whether the service deployment still goes on.
    pub(crate) fn is_open(&self) -> bool {
        matches!(
            self,
            Self::Pending | Self::InProgress | Self::RollbackRequested | Self::RollbackInProgress
        )
    }

    /// Whether it rolls back, is about to, or has.
    pub(crate) fn is_of_rollback(&self) -> bool {
        matches!(
            self,
            Self::RollbackRequested | Self::RollbackInProgress | Self::RollbackSuccessful | Self::RollbackFailed
        )
    }
}
