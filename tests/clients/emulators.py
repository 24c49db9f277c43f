"""Prints what an emulator of AWS does otherwise than AWS, of what docs/emulators.md says of it: the sentences that were
seen to be true, one a line. To be run on an emulator that `furnish_fargate.py` has furnished."""

import json
import os
import sys
import urllib.request

import boto3
from botocore.exceptions import ClientError

ecs, elb = boto3.client("ecs"), boto3.client("elbv2")
staging = {"cluster": "staging"}


def described(tasks):
    return ecs.describe_tasks(**staging, tasks=tasks)["tasks"]


def of_service(name):
    return ecs.list_tasks(**staging, serviceName=name)["taskArns"]


def service(name):
    return ecs.describe_services(**staging, services=[name])["services"][0]


def states(group):
    rows = elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    return [row["TargetHealth"]["State"] for row in rows]


def answer_of(call, **parameters):
    """The status and the body as they came."""
    kept = {}

    def keep(response_dict, **_):
        kept.update(status=response_dict["status_code"], body=response_dict["body"])

    ecs.meta.events.register("before-parse.ecs", keep)
    try:
        call(**parameters)
    except ClientError:
        pass
    ecs.meta.events.unregister("before-parse.ecs", keep)
    return kept


def addresses_of(task):
    return [address for container in task["containers"] for address in container.get("networkInterfaces", [])]


def moto():
    tasks = of_service("web")
    first = described(tasks)
    details = [detail["name"] for detail in first[0]["attachments"][0]["details"]]
    yield "the address of a task stands in its attachment, and in no container", (
        "privateIPv4Address" in details and not addresses_of(first[0])
    )
    container = first[0]["containers"][0]
    yield "a container has its task's revision as `taskArn`", ":task-definition/web:1" in container["taskArn"]
    yield "a container of a running task is PENDING, with the exit code 0", (
        (first[0]["lastStatus"], container["lastStatus"], container["exitCode"]) == ("RUNNING", "PENDING", 0)
    )
    yield "ListTasks ignores `serviceName`", of_service("worker") == tasks
    web = service("web")
    ecs.update_service(**staging, service="web", taskDefinition=other("web"), forceNewDeployment=True)
    now = service("web")
    by = {task["startedBy"] for task in described(of_service("web"))}
    is_another = now["deployments"][0]["id"] != web["deployments"][0]["id"]
    yield "UpdateService starts no task of its deployment", is_another and now["deployments"][0]["id"] not in by
    yield "after UpdateService, the deployment names the revision before", (
        now["taskDefinition"].endswith("web:2") and now["deployments"][0]["taskDefinition"].endswith("web:1")
    )
    group = web["loadBalancers"][0]["targetGroupArn"]
    elb.register_targets(TargetGroupArn=group, Targets=[{"Id": "10.0.0.9", "Port": 1}])
    yield "a target is healthy once it is registered, whether anything answers there or not", states(group)[-1] == "healthy"
    listed = answer_of(ecs.list_service_deployments, **staging, service="web")
    yield "ListServiceDeployments is not served: status 500 and a page", (
        listed["status"] == 500 and listed["body"].lstrip().startswith(b"<!doctype html>")
    )
    request = urllib.request.Request(
        os.environ["AWS_ENDPOINT_URL"] + "/moto-api/state-manager/unset-transition",
        json.dumps({"model_name": "ecs::task"}).encode(),
        {"Content-Type": "application/json"},
    )
    urllib.request.urlopen(request)
    yield "each DescribeTasks moves a task one state on, to STOPPED in the end", (
        [described(tasks)[0]["lastStatus"] for _ in range(4)] == ["DEACTIVATING", "STOPPING", "DEPROVISIONING", "STOPPED"]
    )


def ministack():
    task = described(of_service("web"))[0]
    yield "`startedBy` of a service's tasks is the name of the service", task["startedBy"] == "web"
    yield "a task of a service has no address, neither in its containers nor in an attachment", (
        not addresses_of(task) and not task.get("attachments")
    )
    yield "a task on Fargate names a container instance that the cluster does not have", (
        bool(task["containerInstanceArn"]) and ecs.list_container_instances(**staging)["containerInstanceArns"] == []
    )
    made = ecs.create_service(
        **staging, serviceName="other", taskDefinition="worker:1", desiredCount=1, launchType="FARGATE"
    )["service"]["deployments"][0]
    yield "a service's tasks are RUNNING and its deployment is COMPLETED when the answer to CreateService comes", (
        described(of_service("other"))[0]["lastStatus"] == "RUNNING" and made["rolloutState"] == "COMPLETED"
    )
    group = service("web")["loadBalancers"][0]["targetGroupArn"]
    yield "no task is registered in the service's target group", states(group) == []
    listed = json.loads(answer_of(ecs.list_service_deployments, **staging, service="web")["body"])
    yield "ListServiceDeployments is served, and its list is empty", listed["serviceDeployments"] == []
    shown = json.loads(answer_of(ecs.describe_task_definition, taskDefinition="web:1")["body"])["taskDefinition"]
    yield "DescribeTaskDefinition shows empty texts and nulls for what was not registered", (
        shown["pidMode"] == "" and shown["proxyConfiguration"] is None
    )
    ecs.update_service(**staging, service="web", taskDefinition=other("web"))
    yield "UpdateService stops the tasks of the old revision before it answers", (
        {task["taskDefinitionArn"][-5:] for task in described(of_service("web"))} == {"web:2"}
    )


def other(family):
    """Another revision of it."""
    shown = ecs.describe_task_definition(taskDefinition=family)["taskDefinition"]
    same = ["family", "networkMode", "requiresCompatibilities", "cpu", "memory", "containerDefinitions"]
    return ecs.register_task_definition(**{key: shown[key] for key in same})["taskDefinition"]["taskDefinitionArn"]


for sentence, is_so in {"moto": moto, "ministack": ministack}[sys.argv[1]]():
    if is_so:
        print(sentence)
