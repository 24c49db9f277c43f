#!/usr/bin/env python3
"""Sends the same requests to moto's server and to the simulator, and compares the answers.

    python3 differential.py MOTO_URL SIMULATOR_URL differences.txt

The simulator must serve scenarios/empty.yml. What is drawn or made from it (ids, times, addresses) is replaced by a
word before the comparison, so that members, types, values and error codes are left. Each difference is a line

    STEP PATH: moto WHAT, simulator WHAT

and must stand in the file under a `#` line with its reason; a listed one that is not found any more must go. Prints
the lines that break this, with `+` (found, not listed) or `-` (listed, not found).

Exit status: 0 both agree but for what is listed, 1 they do not.
"""

import datetime
import re
import sys

import boto3
import botocore.config
import botocore.exceptions

DRAWN = [
    (r"arn:aws:application-autoscaling:[a-z0-9-]+:\d{12}:scalable-target/[0-9a-z]+", "SCALABLE-TARGET-ARN"),
    (r"(listener-rule/.*)/[0-9a-f]+$", r"\1/ID"),
    (r"(?<=:)\d{12}(?=:)|^\d{12}$", "ACCOUNT"),
    (r"(subnet|vpc|sg)-[0-9a-f]+", r"\1-ID"),
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UUID"),
    (r"ecs-svc/\d+", "ecs-svc/NUMBER"),
    (r"/[0-9a-f]{16,17}\b", "/ID"),
    (r"-\d{1,10}(\.us-east-1\.elb\.amazonaws\.com)", r"-NUMBER\1"),
]
LISTS_WITHOUT_ORDER = {"Attributes": "Key", "AvailabilityZones": "ZoneName", "Rules": "Priority"}


def plain(value):
    """Without what is drawn."""
    if isinstance(value, dict):
        return {name: ordered(name, plain(inner)) for name, inner in value.items() if name != "ResponseMetadata"}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    if isinstance(value, datetime.datetime):
        return "TIME"
    if isinstance(value, str):
        for pattern, word in DRAWN:
            value = re.sub(pattern, word, value)
    return value


def ordered(name, value):
    key = LISTS_WITHOUT_ORDER.get(name)
    return sorted(value, key=lambda item: item.get(key, "")) if key and isinstance(value, list) else value


def named(items, key):
    """A list of pairs as the mapping that it means."""
    return {item[key]: item.get("Value", item) for item in items}


def compare(path, moto, ours, report):
    if type(moto) is not type(ours):
        report(path, f"{type(moto).__name__} {moto!r}", f"{type(ours).__name__} {ours!r}")
    elif isinstance(moto, dict):
        for name in sorted(moto.keys() | ours.keys()):
            if name not in ours:
                report(f"{path}.{name}", "has it", "lacks it")
            elif name not in moto:
                report(f"{path}.{name}", "lacks it", "has it")
            else:
                compare(f"{path}.{name}", moto[name], ours[name], report)
    elif isinstance(moto, list):
        if path.endswith(".Attributes"):
            compare(path, named(moto, "Key"), named(ours, "Key"), report)
            return
        if len(moto) != len(ours):
            report(path, f"has {len(moto)}", f"has {len(ours)}")
        for place, (left, right) in enumerate(zip(moto, ours)):
            compare(f"{path}[{place}]", left, right, report)
    elif moto != ours:
        report(path, repr(moto), repr(ours))


class Pair:
    """Two endpoints that get the same requests, each with its own ids for what the other does not know."""

    def __init__(self, moto, ours):
        self.sides = [Side(moto), Side(ours)]
        self.found = []
        self.steps = 0

    def ask(self, step, client, operation, **parameters):
        self.steps += 1
        moto, ours = (plain(side.ask(client, operation, parameters)) for side in self.sides)
        if ("refused" in moto) != ("refused" in ours):
            said = [f"refuses with {one['refused']}" if "refused" in one else "answers" for one in (moto, ours)]
            self.found.append(f"{step}: moto {said[0]}, simulator {said[1]}")
            return
        compare("", moto, ours,
                lambda path, moto, ours: self.found.append(f"{step} {path}: moto {moto}, simulator {ours}"))

    def keep(self, name, path):
        """Remembers a part of the last answers under a name that later parameters can use as `{name}`."""
        for side in self.sides:
            value = side.last
            for part in path.split("."):
                value = value[int(part)] if part.isdigit() else value[part]
            side.ids[name] = value


class Side:
    def __init__(self, url):
        settings = {
            "endpoint_url": url, "region_name": "us-east-1",
            "aws_access_key_id": "differential", "aws_secret_access_key": "differential",
            "config": botocore.config.Config(retries={"max_attempts": 1}, read_timeout=20, parameter_validation=False),
        }
        self.clients = {name: boto3.client(name, **settings)
                        for name in ("ecs", "elbv2", "elb", "application-autoscaling", "sts", "ec2")}
        self.ids = {}
        self.last = None

    def ask(self, client, operation, parameters):
        try:
            self.last = getattr(self.clients[client], operation)(**self.filled(parameters))
        except botocore.exceptions.ClientError as error:
            said = error.response["Error"]
            self.last = {"refused": said["Code"], "words": said["Message"]}
        return self.last

    def filled(self, value):
        if isinstance(value, dict):
            return {name: self.filled(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [self.filled(inner) for inner in value]
        if isinstance(value, str):
            whole = re.fullmatch(r"\{(\w+)\}", value)
            return self.ids[whole[1]] if whole else value
        return value


def networks(pair, moto, ours):
    """moto has a network with subnets in many zones; the simulator's existing load balancer tells of its own."""
    subnets = moto.clients["ec2"].describe_subnets()["Subnets"]
    zones = sorted(subnets, key=lambda subnet: subnet["AvailabilityZone"])[:2]
    moto.ids.update(vpc=zones[0]["VpcId"], one=zones[0]["SubnetId"], two=zones[1]["SubnetId"])
    walls = moto.clients["ec2"].describe_security_groups()["SecurityGroups"]
    moto.ids["wall"] = next(wall["GroupId"] for wall in walls if wall["VpcId"] == moto.ids["vpc"])
    known = ours.clients["elbv2"].describe_load_balancers()["LoadBalancers"][0]
    found = [zone["SubnetId"] for zone in known["AvailabilityZones"]]
    ours.ids.update(vpc=known["VpcId"], one=found[0], two=found[1], wall=known["SecurityGroups"][0])


def balancing(pair):
    ask, keep = pair.ask, pair.keep
    group = {"Name": "diff", "Protocol": "HTTP", "Port": 80, "VpcId": "{vpc}", "TargetType": "ip"}
    ask("create-group", "elbv2", "create_target_group", **group)
    keep("group", "TargetGroups.0.TargetGroupArn")
    ask("describe-group", "elbv2", "describe_target_groups", Names=["diff"])
    ask("group-attributes", "elbv2", "describe_target_group_attributes", TargetGroupArn="{group}")
    ask("duplicate-group", "elbv2", "create_target_group", **{**group, "Port": 81})
    ask("long-name", "elbv2", "create_target_group", **{**group, "Name": "a" * 33})
    ask("odd-name", "elbv2", "create_target_group", **{**group, "Name": "a_b"})
    ask("no-protocol", "elbv2", "create_target_group", **{k: v for k, v in group.items() if k != "Protocol"})
    ask("no-vpc", "elbv2", "create_target_group", **{**group, "Name": "other", "VpcId": "vpc-none"})
    ask("slow-check", "elbv2", "create_target_group",
        **{**group, "Name": "other", "HealthCheckIntervalSeconds": 5, "HealthCheckTimeoutSeconds": 6})
    ask("tcp-group", "elbv2", "create_target_group", **{**group, "Name": "tcp", "Protocol": "TCP"})
    keep("tcp", "TargetGroups.0.TargetGroupArn")
    ask("tcp-attributes", "elbv2", "describe_target_group_attributes", TargetGroupArn="{tcp}")
    ask("modify-group", "elbv2", "modify_target_group", TargetGroupArn="{group}", HealthCheckPath="/ping")
    ask("modify-attributes", "elbv2", "modify_target_group_attributes", TargetGroupArn="{group}",
        Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "5"}])
    ask("bad-delay", "elbv2", "modify_target_group_attributes", TargetGroupArn="{group}",
        Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "3601"}])
    ask("health-before", "elbv2", "describe_target_health", TargetGroupArn="{group}")
    ask("register", "elbv2", "register_targets", TargetGroupArn="{group}", Targets=[{"Id": "10.0.0.9", "Port": 80}])
    ask("health-unused", "elbv2", "describe_target_health", TargetGroupArn="{group}")
    ask("health-unknown", "elbv2", "describe_target_health", TargetGroupArn="{group}",
        Targets=[{"Id": "10.0.0.8", "Port": 80}])
    ask("health-no-arn", "elbv2", "describe_target_health", TargetGroupArn="web")
    ask("create-balancer", "elbv2", "create_load_balancer", Name="diff", Subnets=["{one}", "{two}"])
    keep("balancer", "LoadBalancers.0.LoadBalancerArn")
    ask("no-subnet", "elbv2", "create_load_balancer", Name="other", Subnets=["subnet-0000000000000000f"])
    ask("describe-balancer", "elbv2", "describe_load_balancers", Names=["diff"])
    ask("no-balancer", "elbv2", "describe_load_balancers", Names=["none"])
    ask("balancer-attributes", "elbv2", "describe_load_balancer_attributes", LoadBalancerArn="{balancer}")
    forward = [{"Type": "forward", "TargetGroupArn": "{group}"}]
    listener = {"LoadBalancerArn": "{balancer}", "Protocol": "HTTP", "Port": 80, "DefaultActions": forward}
    ask("create-listener", "elbv2", "create_listener", **listener)
    keep("listener", "Listeners.0.ListenerArn")
    ask("duplicate-listener", "elbv2", "create_listener", **{**listener, "DefaultActions": [
        {"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "StatusCode": "HTTP_301"}}]})
    ask("tcp-listener", "elbv2", "create_listener", **{**listener, "Protocol": "TCP", "Port": 81})
    ask("describe-listeners", "elbv2", "describe_listeners", LoadBalancerArn="{balancer}")
    ask("group-in-use", "elbv2", "describe_target_groups", TargetGroupArns=["{group}"])
    rule = {"ListenerArn": "{listener}", "Priority": 5, "Actions": forward,
            "Conditions": [{"Field": "path-pattern", "Values": ["/a*"]}]}
    ask("create-rule", "elbv2", "create_rule", **rule)
    keep("rule", "Rules.0.RuleArn")
    ask("rule-twice", "elbv2", "create_rule", **rule)
    ask("odd-condition", "elbv2", "create_rule", **{**rule, "Priority": 6, "Conditions": [
        {"Field": "colour", "Values": ["red"]}]})
    ask("describe-rules", "elbv2", "describe_rules", ListenerArn="{listener}")
    ask("modify-rule", "elbv2", "modify_rule", RuleArn="{rule}", Conditions=[
        {"Field": "host-header", "HostHeaderConfig": {"Values": ["a.example.com"]}}])
    ask("modify-rule-nothing", "elbv2", "modify_rule", RuleArn="{rule}")
    ask("priorities", "elbv2", "set_rule_priorities", RulePriorities=[{"RuleArn": "{rule}", "Priority": 9}])
    ask("add-tags", "elbv2", "add_tags", ResourceArns=["{group}"], Tags=[{"Key": "a", "Value": "b"}])
    ask("describe-tags", "elbv2", "describe_tags", ResourceArns=["{group}"])
    ask("remove-tags", "elbv2", "remove_tags", ResourceArns=["{group}"], TagKeys=["a"])
    ask("health-in-use", "elbv2", "describe_target_health", TargetGroupArn="{group}")
    ask("delete-in-use", "elbv2", "delete_target_group", TargetGroupArn="{group}")
    ask("deregister", "elbv2", "deregister_targets", TargetGroupArn="{group}",
        Targets=[{"Id": "10.0.0.9", "Port": 80}])
    ask("health-deregistered", "elbv2", "describe_target_health", TargetGroupArn="{group}",
        Targets=[{"Id": "10.0.0.9", "Port": 80}])
    ask("delete-rule", "elbv2", "delete_rule", RuleArn="{rule}")
    ask("no-rule", "elbv2", "describe_rules", RuleArns=["{rule}"])
    ask("no-classic", "elb", "describe_load_balancers", LoadBalancerNames=["none"])
    ask("no-classic-health", "elb", "describe_instance_health", LoadBalancerName="none")


def containers(pair):
    ask = pair.ask
    definition = {"family": "diff", "networkMode": "awsvpc", "cpu": "256", "memory": "512",
                  "requiresCompatibilities": ["FARGATE"],
                  "containerDefinitions": [{"name": "web", "image": "web:1", "portMappings": [{"containerPort": 80}]}]}
    ask("create-cluster", "ecs", "create_cluster", clusterName="diff")
    ask("describe-clusters", "ecs", "describe_clusters", clusters=["diff", "none"])
    ask("register-definition", "ecs", "register_task_definition", **definition)
    ask("describe-definition", "ecs", "describe_task_definition", taskDefinition="diff")
    ask("no-definition", "ecs", "describe_task_definition", taskDefinition="none")
    ask("families", "ecs", "list_task_definition_families", familyPrefix="diff")
    ask("no-cluster", "ecs", "describe_services", cluster="none", services=["web"])
    ask("missing-service", "ecs", "describe_services", cluster="diff", services=["none"])
    ask("update-nothing", "ecs", "update_service", cluster="diff", service="none")
    ask("create-service", "ecs", "create_service", cluster="diff", serviceName="web", taskDefinition="diff:1",
        desiredCount=1, launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": ["{one}"], "securityGroups": ["{wall}"]}},
        loadBalancers=[{"targetGroupArn": "{group}", "containerName": "web", "containerPort": 80}])
    ask("list-services", "ecs", "list_services", cluster="diff")
    ask("no-tasks", "ecs", "describe_tasks", cluster="diff", tasks=["f" * 32])
    ask("caller", "sts", "get_caller_identity")


def scaling(pair):
    target = {"ServiceNamespace": "ecs", "ResourceId": "service/diff/web",
              "ScalableDimension": "ecs:service:DesiredCount"}
    client = "application-autoscaling"
    pair.ask("register-scalable", client, "register_scalable_target", **target, MinCapacity=1, MaxCapacity=3)
    pair.ask("describe-scalable", client, "describe_scalable_targets", ServiceNamespace="ecs")
    pair.ask("scalable-nothing", client, "register_scalable_target",
             **{**target, "ResourceId": "service/diff/none"}, MinCapacity=1, MaxCapacity=3)
    pair.ask("deregister-scalable", client, "deregister_scalable_target", **target)
    pair.ask("deregister-again", client, "deregister_scalable_target", **target)


def listed(path):
    """The known differences; each stands under a reason."""
    known, has_reason = [], False
    with open(path, encoding="utf-8") as lines:
        for line in (line.rstrip("\n") for line in lines):
            if not line:
                has_reason = False
            elif line.startswith("#"):
                has_reason = True
            elif has_reason:
                known.append(line)
            else:
                sys.exit(f"{path}: no reason stands above `{line}`")
    return known


def main(moto, ours, path):
    pair = Pair(moto, ours)
    networks(pair, *pair.sides)
    for part in (balancing, containers, scaling):
        part(pair)
    known = listed(path)
    broken = [f"+ {line}" for line in pair.found if line not in known]
    broken += [f"- {line}" for line in known if line not in pair.found]
    for line in broken:
        print(line)
    print(f"{pair.steps} requests, {len(pair.found)} differences, {len(known)} listed", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    if len(sys.argv) != 4:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    sys.exit(main(*sys.argv[1:]))
