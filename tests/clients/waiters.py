#!/usr/bin/env python3
"""boto3's waiters on a simulated AWS endpoint: each ends, and fails, as on AWS.

    python3 waiters.py http://127.0.0.1:PORT

The endpoint's time has to run much faster than ours. Exit status: 0 all ended as they should, 1 one did not (printed).
"""

import sys

import boto3
import botocore.config
import botocore.exceptions

# In wall-clock seconds: two virtual ones at the speed of 1000 that the test serves with are enough to see each stage.
QUICKLY = {"Delay": 0.02, "MaxAttempts": 1500}

failures = []


def ends(client, name, **parameters):
    """The waiter's good end."""
    try:
        client.get_waiter(name).wait(**parameters, WaiterConfig=QUICKLY)
        print(f"{name} ended")
    except botocore.exceptions.WaiterError as error:
        failures.append(f"{name} {parameters}: {error}")


def gives_up(client, name, **parameters):
    """The waiter's bad end: a failure state, and no lack of patience."""
    try:
        client.get_waiter(name).wait(**parameters, WaiterConfig=QUICKLY)
        failures.append(f"{name} {parameters}: ended well")
    except botocore.exceptions.WaiterError as error:
        if "Max attempts" in str(error):
            failures.append(f"{name} {parameters}: {error}")
        else:
            print(f"{name} gave up")


def main(endpoint):
    settings = {
        "endpoint_url": endpoint,
        "region_name": "us-east-1",
        "aws_access_key_id": "simulator",
        "aws_secret_access_key": "simulator",
        "config": botocore.config.Config(retries={"max_attempts": 1}, read_timeout=20),
    }
    ecs, elb = (boto3.client(name, **settings) for name in ("ecs", "elbv2"))
    cluster = ecs.list_clusters()["clusterArns"][0]
    described = ecs.describe_services(cluster=cluster, services=["web"])["services"][0]
    service = {"cluster": cluster, "services": ["web"]}
    group = described["loadBalancers"][0]["targetGroupArn"]
    before = elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]

    ecs.update_service(cluster=cluster, service="web", forceNewDeployment=True)
    ends(ecs, "services_stable", **service)
    after = ecs.describe_services(**service)["services"][0]
    if len(after["deployments"]) != 1 or after["runningCount"] != after["desiredCount"]:
        failures.append(f"services_stable ended too early: {after}")
    ends(elb, "target_in_service", TargetGroupArn=group)
    ends(elb, "target_deregistered", TargetGroupArn=group, Targets=[row["Target"] for row in before])
    gives_up(ecs, "services_stable", cluster=cluster, services=["no-such-service"])

    definition = described["taskDefinition"]
    tasks = [t["taskArn"] for t in ecs.run_task(cluster=cluster, taskDefinition=definition, count=2)["tasks"]]
    ends(ecs, "tasks_running", cluster=cluster, tasks=tasks)
    ecs.stop_task(cluster=cluster, task=tasks[0])
    gives_up(ecs, "tasks_running", cluster=cluster, tasks=tasks)
    ecs.stop_task(cluster=cluster, task=tasks[1])
    ends(ecs, "tasks_stopped", cluster=cluster, tasks=tasks)

    ecs.delete_service(cluster=cluster, service="web", force=True)
    gives_up(ecs, "services_stable", **service)
    ends(ecs, "services_inactive", **service)
    gives_up(ecs, "services_inactive", cluster=cluster, services=["no-such-service"])
    for failure in failures:
        print(failure)
    return 1 if failures else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    sys.exit(main(sys.argv[1]))
