"""A blue/green service: created over the wire, paused before its production traffic shifts, and continued."""

import simulated


def walk(ecs, elb, check, cluster, service):
    """Makes a service beside the one that there is, shifts it twice, and deletes it."""
    bound = next(binding for binding in service["loadBalancers"] if "targetGroupArn" in binding)
    groups, rules = furnish(elb, bound["targetGroupArn"], service["serviceName"])
    name = f"{service['serviceName']}-shifts"
    advanced = {"alternateTargetGroupArn": groups[1], "productionListenerRule": rules[0], "testListenerRule": rules[1],
                "roleArn": "arn:aws:iam::111122223333:role/ecsInfrastructureRole"}
    pause = {"targetType": "PAUSE", "lifecycleStages": ["POST_TEST_TRAFFIC_SHIFT"],
             "timeoutConfiguration": {"timeoutInMinutes": 60, "action": "ROLLBACK"}}
    network = {"networkConfiguration": service["networkConfiguration"]} if "networkConfiguration" in service else {}
    ecs.create_service(
        cluster=cluster, serviceName=name, taskDefinition=service["taskDefinition"], desiredCount=1,
        launchType=service["launchType"], **network,
        deploymentConfiguration={"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 1, "lifecycleHooks": [pause]},
        loadBalancers=[{**bound, "targetGroupArn": groups[0], "advancedConfiguration": advanced}],
    )
    for live in groups:
        newest = until(ecs, check, cluster, name, lambda found: awaited(found))
        if newest is None:
            break
        ecs.continue_service_deployment(
            serviceDeploymentArn=newest["serviceDeploymentArn"], hookId=awaited(newest), action="CONTINUE")
        until(ecs, check, cluster, name, lambda found: found["status"] == "SUCCESSFUL")
        answer = elb.describe_rules(RuleArns=[rules[0]])["Rules"][0]
        shares = {g["TargetGroupArn"]: g["Weight"] for g in answer["Actions"][0]["ForwardConfig"]["TargetGroups"]}
        if shares != {group: 100 if group == live else 0 for group in groups}:
            check.violate("ContinueServiceDeployment", "", f"leaves the production traffic at {shares}")
        ecs.update_service(cluster=cluster, service=name, forceNewDeployment=True)
    ecs.delete_service(cluster=cluster, service=name, force=True)


def furnish(elb, like, name):
    """Two target groups like a given one, and rules for production and test traffic that forward to the first."""
    model = elb.describe_target_groups(TargetGroupArns=[like])["TargetGroups"][0]
    groups = [
        elb.create_target_group(Name=f"{name}-{side}", Protocol=model["Protocol"], Port=model["Port"],
                                VpcId=model["VpcId"], TargetType=model["TargetType"])["TargetGroups"][0]["TargetGroupArn"]
        for side in ("blue", "green")
    ]
    listener = elb.describe_listeners(LoadBalancerArn=model["LoadBalancerArns"][0])["Listeners"][0]["ListenerArn"]
    taken = [int(r["Priority"]) for r in elb.describe_rules(ListenerArn=listener)["Rules"] if r["Priority"] != "default"]
    first = max(taken, default=0) + 1
    forward = {"TargetGroups": [{"TargetGroupArn": group, "Weight": int(group == groups[0])} for group in groups]}
    rules = [
        elb.create_rule(
            ListenerArn=listener, Priority=first + number, Actions=[{"Type": "forward", "ForwardConfig": forward}],
            Conditions=[{"Field": "host-header", "Values": [f"{kind}.{name}.example.com"]}],
        )["Rules"][0]["RuleArn"]
        for number, kind in enumerate(("production", "test"))
    ]
    return groups, rules


def awaited(deployment):
    """The id of the hook that awaits an action."""
    hooks = deployment.get("lifecycleHookDetails", [])
    return next((hook["hookId"] for hook in hooks if hook["status"] == "AWAITING_ACTION"), None)


def until(ecs, check, cluster, name, is_there):
    """The newest service deployment once it is so far."""
    for _ in range(simulated.STEPS_MAX):
        brief = ecs.list_service_deployments(cluster=cluster, service=name)["serviceDeployments"][0]
        found = ecs.describe_service_deployments(serviceDeploymentArns=[brief["serviceDeploymentArn"]])
        revision = brief["targetServiceRevisionArn"]
        ecs.describe_service_revisions(serviceRevisionArns=[revision])
        ecs.describe_services(cluster=cluster, services=[name])
        newest = found["serviceDeployments"][0]
        if is_there(newest):
            return newest
        simulated.advance(ecs, 3)
    check.violate("UpdateService", "", f"a shift does not come that far: {newest}")
    return None
