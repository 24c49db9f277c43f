//! The keys that AWS keeps of a registered task definition. What it does not know it drops without a word.
//!
//! Source: the API reference of RegisterTaskDefinition, November 2026. This list is the simulator's own: whether a
//! client knows the same keys is one of the things that it is there to find out.

use serde_json::Value;

const NAME_AND_VALUE: &[&str] = &["name", "value"];
const SECRET: &[&str] = &["name", "valueFrom"];

/// The keys of the structure at a path of keys, list elements without a step of their own. None where there is no
/// structure: under a map's own keys, and inside scalars.
fn keys_at(path: &str) -> Option<&'static [&'static str]> {
    if let Some(inside) = path.strip_prefix("containerDefinitions.") {
        return in_container(inside);
    }
    if let Some(inside) = path.strip_prefix("volumes.") {
        return in_volume(inside);
    }
    Some(match path {
        "" => &[
            "family",
            "taskRoleArn",
            "executionRoleArn",
            "networkMode",
            "containerDefinitions",
            "volumes",
            "placementConstraints",
            "requiresCompatibilities",
            "cpu",
            "memory",
            "pidMode",
            "ipcMode",
            "proxyConfiguration",
            "inferenceAccelerators",
            "ephemeralStorage",
            "runtimePlatform",
            "enableFaultInjection",
            "trustedExecutionConfiguration",
        ],
        "containerDefinitions" => CONTAINER,
        "volumes" => &[
            "name",
            "host",
            "dockerVolumeConfiguration",
            "efsVolumeConfiguration",
            "s3filesVolumeConfiguration",
            "fsxWindowsFileServerVolumeConfiguration",
            "configuredAtLaunch",
        ],
        "placementConstraints" => &["type", "expression"],
        "proxyConfiguration" => &["type", "containerName", "properties"],
        "proxyConfiguration.properties" => NAME_AND_VALUE,
        "inferenceAccelerators" => &["deviceName", "deviceType"],
        "ephemeralStorage" => &["sizeInGiB"],
        "runtimePlatform" => &["cpuArchitecture", "operatingSystemFamily"],
        "trustedExecutionConfiguration" => &["isolationMode", "attestationPolicy"],
        _ => return None,
    })
}

const CONTAINER: &[&str] = &[
    "name",
    "image",
    "repositoryCredentials",
    "cpu",
    "memory",
    "memoryReservation",
    "links",
    "portMappings",
    "essential",
    "restartPolicy",
    "entryPoint",
    "command",
    "environment",
    "environmentFiles",
    "mountPoints",
    "volumesFrom",
    "linuxParameters",
    "secrets",
    "dependsOn",
    "startTimeout",
    "stopTimeout",
    "versionConsistency",
    "hostname",
    "user",
    "workingDirectory",
    "disableNetworking",
    "privileged",
    "readonlyRootFilesystem",
    "dnsServers",
    "dnsSearchDomains",
    "extraHosts",
    "dockerSecurityOptions",
    "interactive",
    "pseudoTerminal",
    "dockerLabels",
    "ulimits",
    "logConfiguration",
    "healthCheck",
    "systemControls",
    "resourceRequirements",
    "firelensConfiguration",
    "credentialSpecs",
];

fn in_container(path: &str) -> Option<&'static [&'static str]> {
    Some(match path {
        "repositoryCredentials" => &["credentialsParameter"],
        "portMappings" => &[
            "containerPort",
            "hostPort",
            "protocol",
            "name",
            "appProtocol",
            "containerPortRange",
        ],
        "restartPolicy" => &["enabled", "ignoredExitCodes", "restartAttemptPeriod"],
        "environment" => NAME_AND_VALUE,
        "environmentFiles" => &["value", "type"],
        "mountPoints" => &["sourceVolume", "containerPath", "readOnly"],
        "volumesFrom" => &["sourceContainer", "readOnly"],
        "linuxParameters" => &[
            "capabilities",
            "devices",
            "initProcessEnabled",
            "sharedMemorySize",
            "tmpfs",
            "maxSwap",
            "swappiness",
        ],
        "linuxParameters.capabilities" => &["add", "drop"],
        "linuxParameters.devices" => &["hostPath", "containerPath", "permissions"],
        "linuxParameters.tmpfs" => &["containerPath", "size", "mountOptions"],
        "secrets" | "logConfiguration.secretOptions" => SECRET,
        "dependsOn" => &["containerName", "condition"],
        "extraHosts" => &["hostname", "ipAddress"],
        "ulimits" => &["name", "softLimit", "hardLimit"],
        "logConfiguration" => &["logDriver", "options", "secretOptions"],
        "healthCheck" => &["command", "interval", "timeout", "retries", "startPeriod"],
        "systemControls" => &["namespace", "value"],
        "resourceRequirements" => &["value", "type", "sharingStrategy"],
        "resourceRequirements.sharingStrategy" => &["nvidiaMps"],
        "resourceRequirements.sharingStrategy.nvidiaMps" => &["memory", "maxComputePercent"],
        "firelensConfiguration" => &["type", "options"],
        _ => return None,
    })
}

fn in_volume(path: &str) -> Option<&'static [&'static str]> {
    Some(match path {
        "host" => &["sourcePath"],
        "dockerVolumeConfiguration" => &["scope", "autoprovision", "driver", "driverOpts", "labels"],
        "efsVolumeConfiguration" => &[
            "fileSystemId",
            "rootDirectory",
            "transitEncryption",
            "transitEncryptionPort",
            "authorizationConfig",
        ],
        "efsVolumeConfiguration.authorizationConfig" => &["accessPointId", "iam"],
        "s3filesVolumeConfiguration" => &[
            "fileSystemArn",
            "rootDirectory",
            "transitEncryptionPort",
            "accessPointArn",
        ],
        "fsxWindowsFileServerVolumeConfiguration" => &["fileSystemId", "rootDirectory", "authorizationConfig"],
        "fsxWindowsFileServerVolumeConfiguration.authorizationConfig" => &["credentialsParameter", "domain"],
        _ => return None,
    })
}

/// The document without nulls and without the keys that AWS does not know. `newer`: paths of keys that it knows all the
/// same, with whatever stands under them.
pub(super) fn kept(document: &Value, newer: &[String]) -> Value {
    kept_at("", document, newer)
}

fn kept_at(path: &str, value: &Value, newer: &[String]) -> Value {
    match value {
        Value::Array(items) => items.iter().map(|item| kept_at(path, item, newer)).collect(),
        Value::Object(members) => {
            let Some(known) = keys_at(path) else {
                return value.clone();
            };
            let under = |key: &str| match path {
                "" => key.to_owned(),
                path => format!("{path}.{key}"),
            };
            let kept = members.iter().filter_map(|(key, member)| {
                let path = under(key);
                if newer.contains(&path) {
                    return Some((key.clone(), member.clone()));
                }
                let is_known = known.contains(&key.as_str());
                is_known.then(|| (key.clone(), kept_at(&path, member, newer)))
            });
            Value::Object(kept.collect())
        }
        scalar => scalar.clone(),
    }
}

/// The keys of a task definition itself, in the order of the answer.
pub(super) fn top_level() -> &'static [&'static str] {
    keys_at("").unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_key_is_kept_where_it_belongs_and_nowhere_else() {
        let sent = json!({
            "family": "web", "memmory": "1", "logConfiguration": {},
            "trustedExecutionConfiguration": {"isolationMode": "SHARED", "isolation": 1},
            "containerDefinitions": [{
                "name": "web", "networkMode": "host", "dockerLabels": {"anything": "goes"},
                "resourceRequirements": [
                    {"type": "NeuronDevice", "value": "1"},
                    {"type": "GPU", "sharingStrategy": {"nvidiaMps": {"memory": 1024, "share": 2}}}
                ]
            }]
        });
        assert_eq!(
            kept(&sent, &[]),
            json!({
                "family": "web", "trustedExecutionConfiguration": {"isolationMode": "SHARED"},
                "containerDefinitions": [{
                    "name": "web", "dockerLabels": {"anything": "goes"},
                    "resourceRequirements": [
                        {"type": "NeuronDevice", "value": "1"},
                        {"type": "GPU", "sharingStrategy": {"nvidiaMps": {"memory": 1024}}}
                    ]
                }]
            })
        );
    }

    #[test]
    fn a_newer_key_is_kept_with_whatever_stands_under_it() {
        let sent = json!({"containerDefinitions": [{"name": "web", "gpuSharing": {"mode": "x"}}], "gpuSharing": 1});
        let newer = ["containerDefinitions.gpuSharing".to_owned()];
        let kept = kept(&sent, &newer);
        assert_eq!(
            kept,
            json!({"containerDefinitions": [{"name": "web", "gpuSharing": {"mode": "x"}}]})
        );
    }
}
