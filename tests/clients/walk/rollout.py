"""One rollout, looked at in each of its stages."""

import simulated


def follow(ecs, elb, check, cluster, service):
    """Looks at the service until one deployment is left, its targets alone are registered, and old tasks have stopped."""
    name = service["serviceName"]
    groups = [b["targetGroupArn"] for b in service["loadBalancers"] if "targetGroupArn" in b]
    ecs.update_service(cluster=cluster, service=name, forceNewDeployment=True)
    seen = {"task": set(), "target": set()}
    for _ in range(simulated.STEPS_MAX):
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
        simulated.advance(ecs, 2)
    else:
        check.violate("UpdateService", "", f"does not come to an end: {described['deployments']}, {states}")
    for kind, wanted in (("task", {"PENDING", "RUNNING", "DEACTIVATING", "STOPPED"}),
                         ("target", {"initial", "healthy", "draining"})):
        if missing := wanted - seen[kind]:
            check.violate("UpdateService", "", f"never showed a {kind} as {', '.join(sorted(missing))}")
