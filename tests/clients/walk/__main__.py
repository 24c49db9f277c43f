"""Walks the operations of a simulated AWS endpoint with boto3 and holds every answer against botocore's own models.

    python3 walk http://127.0.0.1:PORT [--follow] [OPERATION ...]

botocore forgives: it drops members that it does not know and takes a number for a string. So the raw body of every
answer is checked here, member by member: a name that the output shape lacks, a value of another type, an enumeration's
value that AWS does not have, or a member missing that every recorded answer of AWS has, is a violation. The first
cluster that has services behind target groups is walked; the walk deploys a revision of each of them, and stops that
deployment again. Every OPERATION that is named must have been answered.
`--follow` deploys once more and looks at every stage of it until one deployment is left. A blue/green service is created,
and continued after a pause. Both move the time of the simulator by its control route.

The last line of the output tells how much was seen. Exit status: 0 nothing found, 1 violations (printed), 2 no such
endpoint or nothing to walk.
"""

import sys

import boto3
import botocore.config
import botocore.exceptions

import balancing
import bluegreen
import definitions
import managed
import roles
import rollout
import services
import tasks
from always import ALWAYS
from checker import Checker

def main(endpoint, follows, wanted):
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
    roles.walk(sts, check)
    cluster, found = services.find(ecs, check)
    if not found:
        print("nothing to walk: no service behind a target group", file=sys.stderr)
        return 2
    services.walk_errors(ecs, check, cluster)
    services.walk_clusters(ecs, check, found[0])
    definitions.walk_pages(ecs, check)
    for service in found:
        task_definition = definitions.walk(ecs, check, service)
        own = tasks.walk(ecs, check, cluster, service)
        lone = tasks.walk_by_hand(ecs, check, cluster, service)
        for arn in (cluster, service["serviceArn"], task_definition, lone):
            tasks.walk_tags(ecs, check, arn)
        deployment = services.walk_rollout(ecs, check, cluster, service, task_definition)
        balancing.walk(elb, check, service)
        ecs.stop_service_deployment(serviceDeploymentArn=deployment, stopType="ROLLBACK")
        if own:
            ecs.stop_task(cluster=cluster, task=own[0], reason="the walk ends")
        if follows:
            rollout.follow(ecs, elb, check, cluster, service)
        services.walk_fargate(ecs, check, cluster, service)
    managed.walk_gateways(ecs, check, cluster, found[0], found[0]["taskDefinition"])
    managed.walk_express(ecs, check, cluster)
    if follows:
        bluegreen.walk(ecs, elb, check, cluster, found[0])
    return report(check, wanted)


def report(check, wanted):
    for operation in sorted((set(ALWAYS) | wanted) - check.walked):
        check.violate(operation, "", "was not walked")
    for violation in dict.fromkeys(check.violations):
        print(violation)
    print(f"{len(check.walked)} operations, {check.members_seen} members of {len(check.paths)} kinds, "
          f"{len(check.violations)} violations")
    return 1 if check.violations else 0


if __name__ == "__main__":
    arguments = sys.argv[1:]
    endpoints = [argument for argument in arguments if argument.startswith("http")]
    operations = {argument for argument in arguments if not argument.startswith(("http", "--"))}
    if len(endpoints) != 1:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    try:
        sys.exit(main(endpoints[0], "--follow" in arguments, operations))
    except botocore.exceptions.EndpointConnectionError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
