"""Members that AWS's answers always have, by operation and by the path of the structure that they are in.

Recorded answers of AWS have them; botocore's output shapes require almost none.
"""

TASK_DEFINITION = """taskDefinitionArn containerDefinitions family revision status volumes placementConstraints
    compatibilities registeredAt""".split()
SERVICE = """serviceArn serviceName clusterArn loadBalancers serviceRegistries status desiredCount runningCount
    pendingCount taskDefinition deploymentConfiguration deployments events createdAt placementConstraints
    placementStrategy schedulingStrategy enableECSManagedTags propagateTags enableExecuteCommand""".split()
DEPLOYMENT = """id status taskDefinition desiredCount pendingCount runningCount failedTasks createdAt updatedAt
    rolloutState rolloutStateReason""".split()
TASK = """taskArn clusterArn taskDefinitionArn attachments availabilityZone containers cpu memory createdAt
    desiredStatus lastStatus launchType group healthStatus overrides version""".split()
INSTANCE = """containerInstanceArn ec2InstanceId version versionInfo remainingResources registeredResources status
    agentConnected runningTasksCount pendingTasksCount attributes registeredAt attachments""".split()
CLUSTER = """clusterArn clusterName status registeredContainerInstancesCount runningTasksCount pendingTasksCount
    activeServicesCount statistics tags settings capacityProviders defaultCapacityProviderStrategy""".split()
REVISION = "arn requestedTaskCount runningTaskCount pendingTaskCount".split()
PROTECTED = {"": ["protectedTasks", "failures"], ".protectedTasks[]": ["taskArn", "protectionEnabled"]}
ALWAYS = {
    "RegisterTaskDefinition": {"": ["taskDefinition"], ".taskDefinition": TASK_DEFINITION},
    "DescribeTaskDefinition": {"": ["taskDefinition"], ".taskDefinition": TASK_DEFINITION},
    "DeregisterTaskDefinition": {"": ["taskDefinition"], ".taskDefinition": TASK_DEFINITION},
    "DeleteTaskDefinitions": {"": ["taskDefinitions", "failures"], ".taskDefinitions[]": TASK_DEFINITION},
    "ListTaskDefinitions": {"": ["taskDefinitionArns"]},
    "ListTaskDefinitionFamilies": {"": ["families"]},
    "ListClusters": {"": ["clusterArns"]},
    "CreateCluster": {"": ["cluster"], ".cluster": CLUSTER},
    "DeleteCluster": {"": ["cluster"], ".cluster": CLUSTER},
    "DescribeClusters": {"": ["clusters", "failures"], ".clusters[]": CLUSTER},
    "ListServices": {"": ["serviceArns"]},
    "DescribeServices": {
        "": ["services", "failures"],
        ".services[]": SERVICE,
        ".services[].deployments[]": DEPLOYMENT,
        ".services[].events[]": ["id", "createdAt", "message"],
        ".services[].loadBalancers[]": ["containerName", "containerPort"],
        ".services[].deploymentConfiguration": ["maximumPercent", "minimumHealthyPercent"],
        ".failures[]": ["arn", "reason"],
    },
    **{
        operation: {"": ["service"], ".service": SERVICE, ".service.deployments[]": DEPLOYMENT}
        for operation in ("CreateService", "UpdateService", "DeleteService")
    },
    "ListTasks": {"": ["taskArns"]},
    "DescribeTasks": {
        "": ["tasks", "failures"],
        ".tasks[]": TASK,
        ".tasks[].containers[]": "containerArn taskArn name image lastStatus networkInterfaces healthStatus cpu".split(),
        ".tasks[].containers[].networkBindings[]": ["bindIP", "containerPort", "hostPort", "protocol"],
    },
    "RunTask": {"": ["tasks", "failures"], ".tasks[]": TASK},
    "StopTask": {"": ["task"], ".task": TASK},
    "UpdateTaskProtection": PROTECTED,
    "GetTaskProtection": PROTECTED,
    "TagResource": {},
    "UntagResource": {},
    "ListTagsForResource": {"": ["tags"], ".tags[]": ["key", "value"]},
    "ListContainerInstances": {"": ["containerInstanceArns"]},
    "DescribeContainerInstances": {
        "": ["containerInstances", "failures"],
        ".containerInstances[]": INSTANCE,
        ".containerInstances[].remainingResources[]": "name type doubleValue longValue integerValue".split(),
        ".containerInstances[].versionInfo": ["agentVersion", "agentHash", "dockerVersion"],
    },
    "UpdateContainerInstancesState": {"": ["containerInstances", "failures"], ".containerInstances[]": INSTANCE},
    "ListServiceDeployments": {
        "": ["serviceDeployments"],
        ".serviceDeployments[]": """serviceDeploymentArn serviceArn clusterArn createdAt targetServiceRevisionArn
            status""".split(),
    },
    "DescribeServiceDeployments": {
        "": ["serviceDeployments", "failures"],
        ".serviceDeployments[]": """serviceDeploymentArn serviceArn clusterArn createdAt updatedAt
            sourceServiceRevisions targetServiceRevision status deploymentConfiguration
            deploymentCircuitBreaker alarms""".split(),
        ".serviceDeployments[].targetServiceRevision": REVISION,
        ".serviceDeployments[].deploymentCircuitBreaker": ["status", "failureCount", "threshold"],
    },
    "DescribeServiceRevisions": {
        "": ["serviceRevisions", "failures"],
        ".serviceRevisions[]": """serviceRevisionArn serviceArn clusterArn taskDefinition containerImages
            createdAt""".split(),
    },
    "StopServiceDeployment": {"": ["serviceDeploymentArn"]},
    # Only deployments with a hook that waits can be continued; without one the refusal is all there is to see.
    "ContinueServiceDeployment": {"": ["serviceDeploymentArn"]},
    "DescribeTargetGroups": {
        "": ["TargetGroups"],
        ".TargetGroups[]": """TargetGroupArn TargetGroupName Protocol Port VpcId HealthCheckProtocol HealthCheckPort
            HealthCheckEnabled HealthCheckIntervalSeconds HealthCheckTimeoutSeconds HealthyThresholdCount
            UnhealthyThresholdCount LoadBalancerArns TargetType""".split(),
    },
    "DescribeTargetGroupAttributes": {"": ["Attributes"], ".Attributes[]": ["Key", "Value"]},
    "DescribeTargetHealth": {
        "": ["TargetHealthDescriptions"],
        ".TargetHealthDescriptions[]": ["Target", "HealthCheckPort", "TargetHealth"],
        ".TargetHealthDescriptions[].Target": ["Id", "Port"],
        ".TargetHealthDescriptions[].TargetHealth": ["State"],
    },
    "DescribeLoadBalancers": {
        "": ["LoadBalancers"],
        ".LoadBalancers[]": """LoadBalancerArn DNSName CanonicalHostedZoneId CreatedTime LoadBalancerName Scheme VpcId
            State Type AvailabilityZones IpAddressType""".split(),
    },
    "DescribeListeners": {
        "": ["Listeners"],
        ".Listeners[]": ["ListenerArn", "LoadBalancerArn", "Port", "Protocol", "DefaultActions"],
    },
    "DescribeRules": {
        "": ["Rules"],
        ".Rules[]": ["RuleArn", "Priority", "Conditions", "Actions", "IsDefault"],
    },
    "DescribeTags": {"": ["TagDescriptions"], ".TagDescriptions[]": ["ResourceArn", "Tags"]},
    "GetCallerIdentity": {"": ["UserId", "Account", "Arn"]},
    "AssumeRoleWithWebIdentity": {
        "": ["Credentials", "SubjectFromWebIdentityToken", "AssumedRoleUser", "Provider", "Audience"],
        ".Credentials": ["AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"],
        ".AssumedRoleUser": ["AssumedRoleId", "Arn"],
    },
}
