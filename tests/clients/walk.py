#!/usr/bin/env python3
"""Walks the operations of a simulated AWS endpoint with boto3 and holds every answer against botocore's own models.

    python3 walk.py http://127.0.0.1:PORT [--follow]

botocore forgives: it drops members that it does not know and takes a number for a string. So the raw body of every
answer is checked here, member by member: a name that the output shape lacks, a value of another type, an enumeration's
value that AWS does not have, or a member missing that every recorded answer of AWS has, is a violation. The first
cluster that has services behind target groups is walked; the walk deploys a revision of each of them, and stops that
deployment again. `--follow` deploys once more and looks at every stage of it until one deployment is left, which wants
an endpoint whose time runs faster than ours.

Exit status: 0 nothing found, 1 violations (printed), 2 no such endpoint or nothing to walk.
"""

import base64
import json
import re
import sys
import time
import xml.etree.ElementTree as ElementTree

import boto3
import botocore.config
import botocore.exceptions

# Members that AWS's answers always have, by operation and by the path of the structure that they are in.
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
ALWAYS = {
    "RegisterTaskDefinition": {"": ["taskDefinition"], ".taskDefinition": TASK_DEFINITION},
    "DescribeTaskDefinition": {"": ["taskDefinition"], ".taskDefinition": TASK_DEFINITION},
    "DeregisterTaskDefinition": {"": ["taskDefinition"], ".taskDefinition": TASK_DEFINITION},
    "ListTaskDefinitions": {"": ["taskDefinitionArns"]},
    "ListTaskDefinitionFamilies": {"": ["families"]},
    "ListClusters": {"": ["clusterArns"]},
    "DescribeClusters": {
        "": ["clusters", "failures"],
        ".clusters[]": """clusterArn clusterName status registeredContainerInstancesCount runningTasksCount
            pendingTasksCount activeServicesCount""".split(),
    },
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
    "UpdateService": {
        "": ["service"],
        ".service": SERVICE,
        ".service.deployments[]": DEPLOYMENT,
    },
    "ListTasks": {"": ["taskArns"]},
    "DescribeTasks": {
        "": ["tasks", "failures"],
        ".tasks[]": TASK,
        ".tasks[].containers[]": "containerArn taskArn name image lastStatus networkInterfaces healthStatus cpu".split(),
        ".tasks[].containers[].networkBindings[]": ["bindIP", "containerPort", "hostPort", "protocol"],
    },
    "StopTask": {"": ["task"], ".task": TASK},
    "ListContainerInstances": {"": ["containerInstanceArns"]},
    "DescribeContainerInstances": {
        "": ["containerInstances", "failures"],
        ".containerInstances[]": INSTANCE,
        ".containerInstances[].remainingResources[]": "name type doubleValue longValue integerValue".split(),
        ".containerInstances[].versionInfo": ["agentVersion", "agentHash", "dockerVersion"],
    },
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
        ".serviceDeployments[].targetServiceRevision": """arn requestedTaskCount runningTaskCount
            pendingTaskCount""".split(),
        ".serviceDeployments[].deploymentCircuitBreaker": ["status", "failureCount", "threshold"],
    },
    "DescribeServiceRevisions": {
        "": ["serviceRevisions", "failures"],
        ".serviceRevisions[]": """serviceRevisionArn serviceArn clusterArn taskDefinition containerImages
            createdAt""".split(),
    },
    "StopServiceDeployment": {"": ["serviceDeploymentArn"]},
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

# What RegisterTaskDefinition does not take back of what DescribeTaskDefinition gives.
OUTPUT_ONLY = """compatibilities deleteRequestedAt deregisteredAt registeredAt registeredBy requiresAttributes revision
    status taskDefinitionArn""".split()

ISO_8601 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


class Checker:
    """Looks at the raw body of every answer that passes through a client."""

    def __init__(self):
        self.violations = []
        self.walked = set()

    def watch(self, client):
        client.meta.events.register("after-call", self.after_call)
        return client

    def after_call(self, http_response, parsed, model, **_):
        self.walked.add(model.name)
        if not http_response.headers.get("x-amzn-RequestId"):
            self.violate(model.name, "", "no header x-amzn-RequestId")
        if http_response.status_code != 200:
            return
        if model.service_model.service_name == "ecs":
            self.json(model, "", model.output_shape, json.loads(http_response.content))
        else:
            root = ElementTree.fromstring(http_response.content)
            wrapper = root.find(f"{{*}}{model.name}Result")
            if not root.tag.endswith(f"}}{model.name}Response") or wrapper is None:
                self.violate(model.name, "", f"is not wrapped as AWS does it: {root.tag}")
                return
            self.xml(model, "", model.output_shape, wrapper)

    def violate(self, operation, path, words):
        self.violations.append(f"{operation}{path}: {words}")

    def members(self, model, path, shape, names):
        for name in names:
            if name not in shape.members:
                self.violate(model.name, path, f"has {name}, which AWS has not")
        for name in ALWAYS[model.name].get(path, []):
            if name not in names:
                self.violate(model.name, path, f"lacks {name}")

    def enumeration(self, model, path, shape, value):
        values = getattr(shape, "enum", None)
        if values and value not in values:
            self.violate(model.name, path, f"is {value!r}, which is none of {', '.join(values)}")

    def json(self, model, path, shape, value):
        kinds = {
            "structure": dict, "map": dict, "list": list, "string": str, "boolean": bool,
            "integer": int, "long": int, "double": (int, float), "float": (int, float), "timestamp": (int, float),
        }
        is_right = isinstance(value, kinds[shape.type_name])
        if isinstance(value, bool) and shape.type_name != "boolean":
            is_right = False
        if not is_right:
            self.violate(model.name, path, f"is {value!r}, not a {shape.type_name}")
        elif shape.type_name == "structure":
            self.members(model, path, shape, value)
            for name, inner in value.items():
                if name in shape.members:
                    self.json(model, f"{path}.{name}", shape.members[name], inner)
        elif shape.type_name == "list":
            for inner in value:
                self.json(model, f"{path}[]", shape.member, inner)
        elif shape.type_name == "map":
            for inner in value.values():
                self.json(model, f"{path}{{}}", shape.value, inner)
        elif shape.type_name == "string":
            self.enumeration(model, path, shape, value)

    def xml(self, model, path, shape, element):
        text = element.text or ""
        if shape.type_name == "structure":
            inner = {child.tag.rpartition("}")[2]: child for child in element}
            if len(inner) != len(element):
                self.violate(model.name, path, "has a member twice")
            self.members(model, path, shape, inner)
            for name, child in inner.items():
                if name in shape.members:
                    self.xml(model, f"{path}.{name}", shape.members[name], child)
        elif shape.type_name == "list":
            for child in element:
                if child.tag.rpartition("}")[2] != "member":
                    self.violate(model.name, path, f"has <{child.tag}> where <member> should be")
                self.xml(model, f"{path}[]", shape.member, child)
        elif shape.type_name in ("integer", "long"):
            if not re.fullmatch(r"-?\d+", text):
                self.violate(model.name, path, f"is {text!r}, not a number")
        elif shape.type_name == "boolean":
            if text not in ("true", "false"):
                self.violate(model.name, path, f"is {text!r}, not a boolean")
        elif shape.type_name == "timestamp":
            if not ISO_8601.fullmatch(text):
                self.violate(model.name, path, f"is {text!r}, not a time")
        else:
            self.enumeration(model, path, shape, text)

    def refuses(self, call, code, words=None, **parameters):
        """The call is to be refused with this code, and with these words where they are known."""
        try:
            call(**parameters)
        except botocore.exceptions.ClientError as error:
            said = error.response["Error"]
            if said["Code"] != code or (words and said["Message"] != words):
                self.violate(call.__name__, "", f"refused with {said}, not with {code}: {words}")
            if not error.response["ResponseMetadata"].get("RequestId"):
                self.violate(call.__name__, "", "a refusal without a request id")
        else:
            self.violate(call.__name__, "", f"answered what AWS refuses with {code}: {parameters}")


def pages(check, client, operation, key, **parameters):
    """The whole list, in one page and in pages of one: both must say the same."""
    paginator = client.get_paginator(operation)
    whole = [item for page in paginator.paginate(**parameters) for item in page[key]]
    single = [
        item
        for page in paginator.paginate(PaginationConfig={"PageSize": 1}, **parameters)
        for item in page[key]
    ]
    if whole != single:
        check.violate(operation, "", f"pages of one give {single}, one page gives {whole}")
    return whole


def find_services(ecs, check):
    for cluster in pages(check, ecs, "list_clusters", "clusterArns"):
        arns = pages(check, ecs, "list_services", "serviceArns", cluster=cluster)
        services = ecs.describe_services(cluster=cluster, services=arns[:10])["services"] if arns else []
        balanced = [s for s in services if any("targetGroupArn" in binding for binding in s["loadBalancers"])]
        if balanced:
            return cluster, balanced
    print("nothing to walk: no service behind a target group", file=sys.stderr)
    sys.exit(2)


def walk_task_definitions(ecs, check, service):
    current = ecs.describe_task_definition(taskDefinition=service["taskDefinition"], include=["TAGS"])
    definition = {k: v for k, v in current["taskDefinition"].items() if k not in OUTPUT_ONLY}
    registered = ecs.register_task_definition(**definition, tags=[{"key": "walk", "value": "1"}])
    arn = registered["taskDefinition"]["taskDefinitionArn"]
    if registered.get("tags") != [{"key": "walk", "value": "1"}]:
        check.violate("RegisterTaskDefinition", ".tags", f"are {registered.get('tags')}")
    family = definition["family"]
    if arn not in pages(check, ecs, "list_task_definitions", "taskDefinitionArns", familyPrefix=family, sort="DESC"):
        check.violate("ListTaskDefinitions", "", f"lacks {arn}")
    if family not in pages(check, ecs, "list_task_definition_families", "families", status="ACTIVE"):
        check.violate("ListTaskDefinitionFamilies", "", f"lacks {family}")
    spare = ecs.register_task_definition(**definition)["taskDefinition"]["taskDefinitionArn"]
    ecs.deregister_task_definition(taskDefinition=spare)
    check.refuses(ecs.describe_task_definition, "ClientException", "Unable to describe task definition.",
                  taskDefinition="no-such-family:1")
    return arn


def walk_tasks(ecs, check, cluster, service):
    arns = pages(check, ecs, "list_tasks", "taskArns", cluster=cluster, serviceName=service["serviceName"])
    tasks = ecs.describe_tasks(cluster=cluster, tasks=[*arns, "f" * 32], include=["TAGS"])
    if [failure["reason"] for failure in tasks["failures"]] != ["MISSING"]:
        check.violate("DescribeTasks", ".failures", f"are {tasks['failures']}")
    pages(check, ecs, "list_tasks", "taskArns", cluster=cluster, desiredStatus="STOPPED")
    check.refuses(ecs.describe_tasks, "InvalidParameterException", "Tasks cannot be empty.", cluster=cluster, tasks=[])
    instances = pages(check, ecs, "list_container_instances", "containerInstanceArns", cluster=cluster)
    if instances:
        ecs.describe_container_instances(
            cluster=cluster, containerInstances=instances, include=["TAGS", "CONTAINER_INSTANCE_HEALTH"])
    return arns


def walk_rollout(ecs, check, cluster, service, task_definition):
    updated = ecs.update_service(
        cluster=cluster, service=service["serviceName"], taskDefinition=task_definition, forceNewDeployment=True
    )["service"]
    primary = next(d for d in updated["deployments"] if d["status"] == "PRIMARY")
    if primary["taskDefinition"] != task_definition:
        check.violate("UpdateService", ".service.deployments[]", "the PRIMARY one is not the one that was asked for")
    described = ecs.describe_services(
        cluster=cluster, services=[service["serviceName"], "no-such-service"], include=["TAGS"])
    if [failure["reason"] for failure in described["failures"]] != ["MISSING"]:
        check.violate("DescribeServices", ".failures", f"are {described['failures']}")
    briefs = ecs.list_service_deployments(cluster=cluster, service=service["serviceName"])["serviceDeployments"]
    arns = [brief["serviceDeploymentArn"] for brief in briefs]
    ecs.describe_service_deployments(serviceDeploymentArns=arns)
    ecs.describe_service_revisions(serviceRevisionArns=[briefs[0]["targetServiceRevisionArn"]])
    return arns[0]


def walk_errors(ecs, check, cluster):
    check.refuses(ecs.describe_services, "ClusterNotFoundException", "Cluster not found.",
                  cluster="no-such-cluster", services=["web"])
    check.refuses(ecs.update_service, "ServiceNotFoundException", "Service not found.",
                  cluster=cluster, service="no-such-service")
    check.refuses(ecs.list_service_deployments, "ServiceNotFoundException", "Service not found.",
                  cluster=cluster, service="no-such-service")
    check.refuses(ecs.describe_services, "InvalidParameterException", "service names can have at most 10 items.",
                  cluster=cluster, services=[f"service-{n}" for n in range(11)])


def walk_roles(sts, check):
    claims = {"iss": "https://token.actions.githubusercontent.com", "sub": "repo:octo/shop:ref:refs/heads/main",
              "aud": "sts.amazonaws.com"}
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    asked = {"RoleArn": "arn:aws:iam::111122223333:role/ci/deploy", "RoleSessionName": "walk"}
    given = sts.assume_role_with_web_identity(WebIdentityToken=f"e30.{payload}.c2ln", DurationSeconds=900, **asked)
    arn, subject = given["AssumedRoleUser"]["Arn"], given["SubjectFromWebIdentityToken"]
    if (arn, subject) != ("arn:aws:sts::111122223333:assumed-role/deploy/walk", claims["sub"]):
        check.violate("AssumeRoleWithWebIdentity", "", f"is for {subject} as {arn}")
    check.refuses(sts.assume_role_with_web_identity, "InvalidIdentityToken",
                  "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)",
                  WebIdentityToken="no-token", **asked)


def walk_balancing(elb, check, service):
    group = next(b["targetGroupArn"] for b in service["loadBalancers"] if "targetGroupArn" in b)
    pages(check, elb, "describe_target_groups", "TargetGroups")
    described = elb.describe_target_groups(TargetGroupArns=[group])["TargetGroups"][0]
    elb.describe_target_groups(Names=[described["TargetGroupName"]])
    elb.describe_target_group_attributes(TargetGroupArn=group)
    elb.describe_target_health(TargetGroupArn=group)
    unknown = elb.describe_target_health(TargetGroupArn=group, Targets=[{"Id": "i-00000000000000000", "Port": 1}])
    reasons = [row["TargetHealth"].get("Reason") for row in unknown["TargetHealthDescriptions"]]
    if reasons != ["Target.NotRegistered"]:
        check.violate("DescribeTargetHealth", "", f"says {reasons} of a target that is not registered")
    for balancer in pages(check, elb, "describe_load_balancers", "LoadBalancers"):
        arn = balancer["LoadBalancerArn"]
        elb.describe_target_groups(LoadBalancerArn=arn)
        for listener in pages(check, elb, "describe_listeners", "Listeners", LoadBalancerArn=arn):
            pages(check, elb, "describe_rules", "Rules", ListenerArn=listener["ListenerArn"])
        elb.describe_tags(ResourceArns=[arn, group])
    check.refuses(elb.describe_target_health, "TargetGroupNotFound", "One or more target groups not found",
                  TargetGroupArn=group[:-1] + ("0" if group[-1] != "0" else "1"))
    check.refuses(elb.describe_target_groups, "ValidationError", "'web' is not a valid target group ARN",
                  TargetGroupArns=["web"])


def follow_rollout(ecs, elb, check, cluster, service):
    """Looks at the service until one deployment is left, its targets alone are registered, and old tasks have stopped."""
    name = service["serviceName"]
    groups = [b["targetGroupArn"] for b in service["loadBalancers"] if "targetGroupArn" in b]
    ecs.update_service(cluster=cluster, service=name, forceNewDeployment=True)
    seen = {"task": set(), "target": set()}
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        described = ecs.describe_services(cluster=cluster, services=[name])["services"][0]
        arns = [
            arn
            for status in ("RUNNING", "STOPPED")
            for arn in ecs.list_tasks(cluster=cluster, serviceName=name, desiredStatus=status)["taskArns"]
        ]
        tasks = ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"] if arns else []
        rows = [row for g in groups for row in elb.describe_target_health(TargetGroupArn=g)["TargetHealthDescriptions"]]
        newest = ecs.list_service_deployments(cluster=cluster, service=name)["serviceDeployments"][0]
        ecs.describe_service_deployments(serviceDeploymentArns=[newest["serviceDeploymentArn"]])
        states = [row["TargetHealth"]["State"] for row in rows]
        seen["task"].update(task["lastStatus"] for task in tasks)
        seen["target"].update(states)
        is_quiet = all(task["lastStatus"] == task["desiredStatus"] for task in tasks)
        if len(described["deployments"]) == 1 and set(states) == {"healthy"} and is_quiet:
            break
        time.sleep(0.02)
    else:
        check.violate("UpdateService", "", f"does not come to an end: {described['deployments']}, {states}")
    for kind, wanted in (("task", {"PENDING", "RUNNING", "DEACTIVATING", "STOPPED"}),
                         ("target", {"initial", "healthy", "draining"})):
        if missing := wanted - seen[kind]:
            check.violate("UpdateService", "", f"never showed a {kind} as {', '.join(sorted(missing))}")


def main(endpoint, follows):
    check = Checker()
    settings = {
        "endpoint_url": endpoint,
        "region_name": "us-east-1",
        "aws_access_key_id": "simulator",
        "aws_secret_access_key": "simulator",
        "config": botocore.config.Config(retries={"max_attempts": 1}, read_timeout=20),
    }
    ecs, elb, sts = (check.watch(boto3.client(name, **settings)) for name in ("ecs", "elbv2", "sts"))
    sts.get_caller_identity()
    walk_roles(sts, check)
    cluster, services = find_services(ecs, check)
    ecs.describe_clusters(clusters=[cluster, "no-such-cluster"], include=["TAGS"])
    walk_errors(ecs, check, cluster)
    for service in services:
        task_definition = walk_task_definitions(ecs, check, service)
        tasks = walk_tasks(ecs, check, cluster, service)
        deployment = walk_rollout(ecs, check, cluster, service, task_definition)
        walk_balancing(elb, check, service)
        ecs.stop_service_deployment(serviceDeploymentArn=deployment, stopType="ROLLBACK")
        if tasks:
            ecs.stop_task(cluster=cluster, task=tasks[0], reason="the walk ends")
        if follows:
            follow_rollout(ecs, elb, check, cluster, service)
    for operation in sorted(set(ALWAYS) - check.walked):
        check.violate(operation, "", "was not walked")
    for violation in dict.fromkeys(check.violations):
        print(violation)
    print(f"{len(check.walked)} operations walked, {len(check.violations)} violations", file=sys.stderr)
    return 1 if check.violations else 0


if __name__ == "__main__":
    arguments = sys.argv[1:]
    follows = "--follow" in arguments
    endpoints = [argument for argument in arguments if argument != "--follow"]
    if len(endpoints) != 1:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    try:
        sys.exit(main(endpoints[0], follows))
    except botocore.exceptions.EndpointConnectionError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
