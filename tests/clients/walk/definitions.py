"""Task definitions: registered, described, listed over more pages than one, deregistered, deleted."""

from checker import pages

# What RegisterTaskDefinition does not take back of what DescribeTaskDefinition gives.
OUTPUT_ONLY = """compatibilities deleteRequestedAt deregisteredAt registeredAt registeredBy requiresAttributes revision
    status taskDefinitionArn""".split()

# One more than a page of ListTaskDefinitions holds.
MORE_THAN_A_PAGE = 101


def walk(ecs, check, service):
    """Registers a revision of what the service runs, and gives its ARN."""
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
    deleted = ecs.delete_task_definitions(taskDefinitions=[spare, arn])
    if [d["status"] for d in deleted["taskDefinitions"]] != ["DELETE_IN_PROGRESS"] or len(deleted["failures"]) != 1:
        check.violate("DeleteTaskDefinitions", "", f"gives {deleted['failures']}")
    check.refuses(ecs.describe_task_definition, "ClientException", "Unable to describe task definition.",
                  taskDefinition="no-such-family:1")
    return arn


def walk_pages(ecs, check):
    """AWS's own page size: more revisions than one page holds."""
    container = {"name": "page", "image": "example/page:1", "memory": 64}
    for _ in range(MORE_THAN_A_PAGE):
        ecs.register_task_definition(family="pages", containerDefinitions=[container])
    listed = list(ecs.get_paginator("list_task_definitions").paginate(familyPrefix="pages"))
    lengths = [len(page["taskDefinitionArns"]) for page in listed]
    if lengths != [100, 1]:
        check.violate("ListTaskDefinitions", "", f"comes in pages of {lengths}")
