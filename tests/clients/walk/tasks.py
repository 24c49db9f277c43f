"""Tasks and the instances that they run on: of services and by hand, listed, protected, tagged, moved, stopped."""

from checker import pages


def walk(ecs, check, cluster, service):
    """The tasks of one service, and the instances of its cluster; gives the tasks' ARNs."""
    name = service["serviceName"]
    arns = pages(check, ecs, "list_tasks", "taskArns", cluster=cluster, serviceName=name)
    tasks = ecs.describe_tasks(cluster=cluster, tasks=[*arns, "f" * 32], include=["TAGS"])
    if [failure["reason"] for failure in tasks["failures"]] != ["MISSING"]:
        check.violate("DescribeTasks", ".failures", f"are {tasks['failures']}")
    pages(check, ecs, "list_tasks", "taskArns", cluster=cluster, desiredStatus="STOPPED")
    by_deployment = pages(check, ecs, "list_tasks", "taskArns", cluster=cluster,
                          startedBy=service["deployments"][0]["id"])
    if sorted(by_deployment) != sorted(arns):
        check.violate("ListTasks", "", f"by deployment gives {by_deployment}, by service {arns}")
    check.refuses(ecs.list_tasks, "InvalidParameterException", "cannot specify startedBy with other arguments",
                  cluster=cluster, startedBy="somebody", family="web")
    check.refuses(ecs.describe_tasks, "InvalidParameterException", "Tasks cannot be empty.", cluster=cluster, tasks=[])
    protect(ecs, check, cluster, arns)
    walk_instances(ecs, check, cluster)
    return arns


def protect(ecs, check, cluster, arns):
    if not arns:
        return
    protected = ecs.update_task_protection(
        cluster=cluster, tasks=arns[:10], protectionEnabled=True, expiresInMinutes=1)
    if not all(task["protectionEnabled"] and "expirationDate" in task for task in protected["protectedTasks"]):
        check.violate("UpdateTaskProtection", "", f"gives {protected['protectedTasks']}")
    ecs.update_task_protection(cluster=cluster, tasks=arns[:10], protectionEnabled=False)
    asked = ecs.get_task_protection(cluster=cluster, tasks=[*arns[:10], "f" * 32])
    if any(task["protectionEnabled"] for task in asked["protectedTasks"]) or len(asked["failures"]) != 1:
        check.violate("GetTaskProtection", "", f"gives {asked['protectedTasks']}, {asked['failures']}")


def walk_instances(ecs, check, cluster):
    instances = pages(check, ecs, "list_container_instances", "containerInstanceArns", cluster=cluster)
    if not instances:
        return
    ecs.describe_container_instances(
        cluster=cluster, containerInstances=instances, include=["TAGS", "CONTAINER_INSTANCE_HEALTH"])
    for status in ("DRAINING", "ACTIVE"):
        changed = ecs.update_container_instances_state(
            cluster=cluster, containerInstances=instances[:1], status=status)["containerInstances"]
        if [instance["status"] for instance in changed] != [status]:
            check.violate("UpdateContainerInstancesState", "", f"gives {changed}")


def walk_by_hand(ecs, check, cluster, service):
    """Tasks that somebody runs and stops: with overrides, in a group, with tags."""
    definition = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
    container = definition["containerDefinitions"][0]["name"]
    override = {"name": container, "command": ["true"], "environment": [{"name": "A", "value": "1"}], "cpu": 32}
    where = {}
    if service.get("networkConfiguration"):
        where = {"networkConfiguration": service["networkConfiguration"], "launchType": service["launchType"]}
    by = f"walk-{service['serviceName']}"
    ran = ecs.run_task(
        cluster=cluster, taskDefinition=definition["taskDefinitionArn"], count=2, startedBy=by, group="walkers",
        overrides={"containerOverrides": [override], "taskRoleArn": "arn:aws:iam::111122223333:role/walk"},
        tags=[{"key": "walk", "value": "1"}], enableExecuteCommand=True, **where,
    )
    if len(ran["tasks"]) != 2 or ran["tasks"][0]["overrides"]["containerOverrides"][0] != override:
        check.violate("RunTask", "", f"gives {ran}")
    arns = [task["taskArn"] for task in ran["tasks"]]
    if sorted(pages(check, ecs, "list_tasks", "taskArns", cluster=cluster, startedBy=by)) != sorted(arns):
        check.violate("ListTasks", "", "lacks tasks by whom they were started")
    stopped = ecs.stop_task(cluster=cluster, task=arns[0], reason="the walk ends")["task"]
    if (stopped["stopCode"], stopped["stoppedReason"]) != ("UserInitiated", "the walk ends"):
        check.violate("StopTask", ".task", f"is {stopped}")
    check.refuses(ecs.stop_task, "InvalidParameterException", "The referenced task was not found.",
                  cluster=cluster, task="f" * 32)
    check.refuses(ecs.run_task, "ClientException", "TaskDefinition not found.",
                  cluster=cluster, taskDefinition="no-such-family")
    return arns[1]


def walk_tags(ecs, check, arn):
    ecs.tag_resource(resourceArn=arn, tags=[{"key": "tagged", "value": "by"}, {"key": "walk", "value": "2"}])
    ecs.untag_resource(resourceArn=arn, tagKeys=["tagged"])
    listed = ecs.list_tags_for_resource(resourceArn=arn)["tags"]
    if {"key": "walk", "value": "2"} not in listed or any(tag["key"] == "tagged" for tag in listed):
        check.violate("ListTagsForResource", ".tags", f"of {arn} are {listed}")
