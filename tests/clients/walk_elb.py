#!/usr/bin/env python3
"""Walks the load balancing and auto scaling operations of a simulated AWS endpoint with boto3.

    python3 walk_elb.py http://127.0.0.1:PORT

Every answer is held against botocore's own models, member by member, as `walk` does it. The endpoint must serve the
scenario of tests/suite/other_clients.rs (a service `web` behind a target group, a service `old` behind a classic load
balancer), and its time should run fast: load balancers are set up, targets checked and drained, and boto3's waiters
wait for all of that.

Exit status: 0 nothing found, 1 violations (printed).
"""

import json
import pathlib
import sys
import xml.etree.ElementTree as ElementTree

import boto3
import botocore.config
import botocore.exceptions

sys.path.insert(0, str(pathlib.Path(__file__).with_name("walk")))
import always  # noqa: E402
import checker  # noqa: E402

GROUP = always.ALWAYS["DescribeTargetGroups"][".TargetGroups[]"]
BALANCER = always.ALWAYS["DescribeLoadBalancers"][".LoadBalancers[]"]
LISTENER = always.ALWAYS["DescribeListeners"][".Listeners[]"]
RULE = always.ALWAYS["DescribeRules"][".Rules[]"]
ATTRIBUTE = {"": ["Attributes"], ".Attributes[]": ["Key", "Value"]}

# Members that AWS's answers always have, by service, operation and the path of the structure that they are in.
ALWAYS = {
    "elbv2": {
        **{name: {"": ["TargetGroups"], ".TargetGroups[]": GROUP}
           for name in ("CreateTargetGroup", "ModifyTargetGroup", "DescribeTargetGroups")},
        **{name: {"": ["LoadBalancers"], ".LoadBalancers[]": BALANCER}
           for name in ("CreateLoadBalancer", "DescribeLoadBalancers")},
        **{name: {"": ["Listeners"], ".Listeners[]": LISTENER}
           for name in ("CreateListener", "ModifyListener", "DescribeListeners")},
        **{name: {"": ["Rules"], ".Rules[]": RULE}
           for name in ("CreateRule", "ModifyRule", "SetRulePriorities", "DescribeRules")},
        **{name: ATTRIBUTE for name in (
            "DescribeTargetGroupAttributes", "ModifyTargetGroupAttributes",
            "DescribeLoadBalancerAttributes", "ModifyLoadBalancerAttributes")},
        **{name: {} for name in (
            "DeleteTargetGroup", "DeleteLoadBalancer", "DeleteListener", "DeleteRule", "RegisterTargets",
            "DeregisterTargets", "AddTags", "RemoveTags")},
        "DescribeTargetHealth": always.ALWAYS["DescribeTargetHealth"],
        "DescribeTags": always.ALWAYS["DescribeTags"],
    },
    "elb": {
        "DescribeLoadBalancers": {
            "": ["LoadBalancerDescriptions"],
            ".LoadBalancerDescriptions[]": """LoadBalancerName DNSName CanonicalHostedZoneName
                CanonicalHostedZoneNameID ListenerDescriptions Policies BackendServerDescriptions AvailabilityZones
                Subnets VPCId Instances HealthCheck SecurityGroups CreatedTime Scheme""".split(),
        },
        "DescribeLoadBalancerAttributes": {
            "": ["LoadBalancerAttributes"],
            ".LoadBalancerAttributes": ["CrossZoneLoadBalancing", "AccessLog", "ConnectionDraining",
                                        "ConnectionSettings"],
        },
        "DescribeInstanceHealth": {
            "": ["InstanceStates"],
            ".InstanceStates[]": ["InstanceId", "State", "ReasonCode", "Description"],
        },
    },
    "application-autoscaling": {
        "RegisterScalableTarget": {"": ["ScalableTargetARN"]},
        "DeregisterScalableTarget": {},
        "DescribeScalableTargets": {
            "": ["ScalableTargets"],
            ".ScalableTargets[]": """ServiceNamespace ResourceId ScalableDimension MinCapacity MaxCapacity RoleARN
                CreationTime SuspendedState ScalableTargetARN""".split(),
        },
    },
}

# Real ones of an account with one VPC would be read with EC2; here an existing load balancer tells.
NOWHERE = "0123456789abcdef"
PATIENCE = {"Delay": 0.02, "MaxAttempts": 1500}


class Checker(checker.Checker):
    """Counts what it looks at, and knows three services."""

    def __init__(self):
        super().__init__()
        self.paths = set()
        self.members_seen = 0

    def after_call(self, http_response, parsed, model, **_):
        service = model.service_model.service_name
        self.walked.add((service, model.name))
        if not http_response.headers.get("x-amzn-RequestId"):
            self.violate(model.name, "", "no header x-amzn-RequestId")
        if http_response.status_code != 200 or service not in ALWAYS:
            return
        if model.service_model.metadata["protocol"] == "json":
            self.json(model, "", model.output_shape, json.loads(http_response.content))
            return
        root = ElementTree.fromstring(http_response.content)
        wrapper = root.find(f"{{*}}{model.name}Result")
        if not root.tag.endswith(f"}}{model.name}Response") or wrapper is None:
            self.violate(model.name, "", f"is not wrapped as AWS does it: {root.tag}")
            return
        self.xml(model, "", model.output_shape, wrapper)

    def members(self, model, path, shape, names):
        service = model.service_model.service_name
        self.members_seen += len(names)
        self.paths.update((service, model.name, f"{path}.{name}") for name in names)
        for name in names:
            if name not in shape.members:
                self.violate(model.name, path, f"has {name}, which AWS has not")
        for name in ALWAYS[service][model.name].get(path, []):
            if name not in names:
                self.violate(model.name, path, f"lacks {name}")

    def equal(self, what, found, wanted):
        if found != wanted:
            self.violate(what, "", f"is {found!r}, not {wanted!r}")


def states(elb, group, **parameters):
    rows = elb.describe_target_health(TargetGroupArn=group, **parameters)["TargetHealthDescriptions"]
    return [(row["TargetHealth"]["State"], row["TargetHealth"].get("Reason")) for row in rows]


def create_group(elb, check, vpc):
    settings = {"Name": "walk", "Protocol": "HTTP", "Port": 80, "VpcId": vpc, "TargetType": "instance",
                "HealthCheckPath": "/ping", "HealthCheckIntervalSeconds": 10, "HealthCheckTimeoutSeconds": 5,
                "HealthyThresholdCount": 2, "UnhealthyThresholdCount": 2, "Tags": [{"Key": "walk", "Value": "1"}]}
    group = elb.create_target_group(**settings)["TargetGroups"][0]["TargetGroupArn"]
    again = elb.create_target_group(**settings)["TargetGroups"][0]["TargetGroupArn"]
    check.equal("a group created twice", again, group)
    check.refuses(elb.create_target_group, "DuplicateTargetGroupName",
                  "A target group with the same name 'walk' exists, but with different settings",
                  **{**settings, "Port": 81})
    check.refuses(elb.create_target_group, "ValidationError", "A protocol must be specified",
                  Name="other", Port=80, VpcId=vpc)
    check.refuses(elb.create_target_group, "ValidationError", "The VPC ID 'vpc-none' is not found",
                  **{**settings, "Name": "other", "VpcId": "vpc-none"})
    check.refuses(elb.create_target_group, "ValidationError",
                  "Health check timeout '10' must be smaller than the interval '10'",
                  **{**settings, "Name": "other", "HealthCheckTimeoutSeconds": 10})
    check.refuses(elb.create_target_group, "ValidationError",
                  "Target group name 'a_b' can only contain characters that are alphanumeric characters and hyphens(-)",
                  **{**settings, "Name": "a_b"})
    return group


def change_group(elb, check, group):
    changed = elb.modify_target_group(TargetGroupArn=group, HealthCheckIntervalSeconds=5, HealthCheckTimeoutSeconds=2,
                                      Matcher={"HttpCode": "200-299"})["TargetGroups"][0]
    check.equal("the matcher", changed["Matcher"], {"HttpCode": "200-299"})
    check.equal("the path stays", changed["HealthCheckPath"], "/ping")
    delay = {"Key": "deregistration_delay.timeout_seconds", "Value": "5"}
    attributes = elb.modify_target_group_attributes(
        TargetGroupArn=group, Attributes=[delay, {"Key": "slow_start.duration_seconds", "Value": "30"}])["Attributes"]
    check.equal("the delay", delay in attributes, True)
    check.equal("the attributes", attributes, elb.describe_target_group_attributes(TargetGroupArn=group)["Attributes"])
    for key, value, words in (
        ("deregistration_delay.timeout_seconds", "3601",
         "'deregistration_delay.timeout_seconds' value '3601' must be between '0-3600' inclusive"),
        ("no.such.key", "1", "Target group attribute key 'no.such.key' is not recognized"),
    ):
        check.refuses(elb.modify_target_group_attributes, "ValidationError", words,
                      TargetGroupArn=group, Attributes=[{"Key": key, "Value": value}])


def create_balancers(elb, check, subnets):
    settings = {"Name": "walk", "Subnets": subnets, "Scheme": "internal", "Tags": [{"Key": "walk", "Value": "1"}]}
    made = elb.create_load_balancer(**settings)["LoadBalancers"][0]
    check.equal("a new load balancer", made["State"]["Code"], "provisioning")
    check.equal("a second of the name", elb.create_load_balancer(**settings)["LoadBalancers"][0], made)
    check.refuses(elb.create_load_balancer, "DuplicateLoadBalancerName",
                  "A load balancer with the same name 'walk' exists, but with different settings",
                  **{**settings, "Scheme": "internet-facing"})
    check.refuses(elb.create_load_balancer, "ValidationError",
                  "At least two subnets in two different Availability Zones must be specified",
                  Name="other", Subnets=subnets[:1])
    check.refuses(elb.create_load_balancer, "SubnetNotFound", None, Name="other", Subnets=["subnet-none", subnets[0]])
    elb.get_waiter("load_balancer_available").wait(Names=["walk"], WaiterConfig=PATIENCE)
    network = elb.create_load_balancer(Name="walk-net", Subnets=subnets[:1], Type="network")["LoadBalancers"][0]
    check.equal("the kind", network["Type"], "network")
    for balancer in (made, network):
        arn = balancer["LoadBalancerArn"]
        elb.describe_load_balancer_attributes(LoadBalancerArn=arn)
    protect = {"Key": "deletion_protection.enabled", "Value": "true"}
    elb.modify_load_balancer_attributes(LoadBalancerArn=network["LoadBalancerArn"], Attributes=[protect])
    check.refuses(elb.delete_load_balancer, "OperationNotPermitted", None, LoadBalancerArn=network["LoadBalancerArn"])
    protect["Value"] = "false"
    elb.modify_load_balancer_attributes(LoadBalancerArn=network["LoadBalancerArn"], Attributes=[protect])
    checker.pages(check, elb, "describe_load_balancers", "LoadBalancers")
    return made["LoadBalancerArn"], network["LoadBalancerArn"]


def walk_listeners(elb, check, balancer, group, taken):
    forward = [{"Type": "forward", "TargetGroupArn": group}]
    settings = {"LoadBalancerArn": balancer, "Protocol": "HTTP", "Port": 80, "DefaultActions": forward}
    listener = elb.create_listener(**settings)["Listeners"][0]["ListenerArn"]
    again = elb.create_listener(**settings)["Listeners"][0]["ListenerArn"]
    check.equal("a listener created twice", again, listener)
    redirect = [{"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}}]
    check.refuses(elb.create_listener, "DuplicateListener",
                  f"A listener already exists on this port for this load balancer '{balancer}'",
                  **{**settings, "DefaultActions": redirect})
    check.refuses(elb.create_listener, "TargetGroupAssociationLimit", None,
                  **{**settings, "Port": 81, "DefaultActions": [{"Type": "forward", "TargetGroupArn": taken}]})
    check.refuses(elb.create_listener, "ValidationError", "Listener protocol 'TCP' must be one of 'HTTP, HTTPS'",
                  **{**settings, "Port": 81, "Protocol": "TCP"})
    certificate = [{"CertificateArn": f"arn:aws:acm:us-east-1:111122223333:certificate/{NOWHERE}"}]
    secure = elb.create_listener(**{**settings, "Port": 443, "Protocol": "HTTPS", "Certificates": certificate})
    secure = secure["Listeners"][0]["ListenerArn"]
    check.refuses(elb.modify_listener, "ValidationError", "Listener port '80' is already in use",
                  ListenerArn=secure, Port=80)
    fixed = {"Type": "fixed-response",
             "FixedResponseConfig": {"StatusCode": "503", "ContentType": "text/plain", "MessageBody": "later"}}
    weighted = {"Type": "forward", "ForwardConfig": {
        "TargetGroups": [{"TargetGroupArn": group, "Weight": 3}],
        "TargetGroupStickinessConfig": {"Enabled": True, "DurationSeconds": 60}}}
    for actions in (redirect, [fixed], [weighted]):
        elb.modify_listener(ListenerArn=secure, DefaultActions=actions)
    check.equal("the listeners", len(checker.pages(check, elb, "describe_listeners", "Listeners",
                                                LoadBalancerArn=balancer)), 2)
    check.equal("one listener", len(elb.describe_listeners(ListenerArns=[listener])["Listeners"]), 1)
    elb.delete_listener(ListenerArn=secure)
    check.refuses(elb.describe_listeners, "ListenerNotFound", "One or more listeners not found", ListenerArns=[secure])
    return listener


def walk_rules(elb, check, listener, group):
    forward = [{"Type": "forward", "TargetGroupArn": group}]
    conditions = [
        {"Field": "host-header", "Values": ["users.example.com"]},
        {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/users*", "/ping"]}},
        {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Version", "Values": ["2"]}},
        {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["GET"]}},
        {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "v", "Value": "2"}, {"Value": "beta"}]}},
        {"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.0/8"]}},
    ]
    rules = []
    for priority, condition in enumerate(conditions, start=1):
        made = elb.create_rule(ListenerArn=listener, Priority=priority, Conditions=[condition], Actions=forward)
        rules.append(made["Rules"][0])
    check.equal("the conditions", [rule["Conditions"][0]["Field"] for rule in rules], [c["Field"] for c in conditions])
    check.refuses(elb.create_rule, "PriorityInUse", "Priority '1' is currently in use",
                  ListenerArn=listener, Priority=1, Conditions=conditions[:1], Actions=forward)
    check.refuses(elb.create_rule, "ValidationError", None,
                  ListenerArn=listener, Priority=60, Conditions=[{"Field": "colour", "Values": ["red"]}],
                  Actions=forward)
    first, second = rules[0]["RuleArn"], rules[1]["RuleArn"]
    elb.set_rule_priorities(RulePriorities=[{"RuleArn": first, "Priority": 2}, {"RuleArn": second, "Priority": 1}])
    listed = checker.pages(check, elb, "describe_rules", "Rules", ListenerArn=listener)
    check.equal("the order", [rule["RuleArn"] for rule in listed][:2], [second, first])
    check.equal("the last rule", (listed[-1]["Priority"], listed[-1]["IsDefault"]), ("default", True))
    elb.modify_rule(RuleArn=first, Conditions=conditions[1:2])
    check.refuses(elb.delete_rule, "OperationNotPermitted", None, RuleArn=listed[-1]["RuleArn"])
    elb.describe_rules(RuleArns=[first])
    for rule in rules:
        elb.delete_rule(RuleArn=rule["RuleArn"])
    check.refuses(elb.describe_rules, "RuleNotFound", "One or more rules not found", RuleArns=[first])


def walk_targets(elb, check, balancer, group, taken):
    """By hand: the group falls in and out of use, and its target with it."""
    running = elb.describe_target_health(TargetGroupArn=taken)["TargetHealthDescriptions"][0]["Target"]
    target = {"Id": running["Id"], "Port": running["Port"]}
    elb.register_targets(TargetGroupArn=group, Targets=[target])
    check.equal("a target of a group without a listener", states(elb, group), [("unused", "Target.NotInUse")])
    check.refuses(elb.register_targets, "InvalidTarget", "The following instances do not exist: 'i-0f76fade'",
                  TargetGroupArn=group, Targets=[{"Id": "i-0f76fade"}])
    check.refuses(elb.register_targets, "ValidationError", "Instance ID '10.0.0.1' is not valid",
                  TargetGroupArn=group, Targets=[{"Id": "10.0.0.1"}])
    listener = walk_listeners(elb, check, balancer, group, taken)
    check.equal("a target of a group with one", states(elb, group)[0][0] in ("initial", "healthy"), True)
    elb.get_waiter("target_in_service").wait(TargetGroupArn=group, Targets=[target], WaiterConfig=PATIENCE)
    check.refuses(elb.delete_target_group, "ResourceInUse",
                  f"Target group '{group}' is currently in use by a listener or a rule", TargetGroupArn=group)
    walk_rules(elb, check, listener, group)
    elb.deregister_targets(TargetGroupArn=group, Targets=[target, {"Id": "i-0f76fade", "Port": 1}])
    check.equal("a target that leaves", states(elb, group, Targets=[target]),
                [("draining", "Target.DeregistrationInProgress")])
    elb.get_waiter("target_deregistered").wait(TargetGroupArn=group, Targets=[target], WaiterConfig=PATIENCE)
    check.equal("a target that is gone", states(elb, group, Targets=[target]), [("unused", "Target.NotRegistered")])
    check.equal("the others", states(elb, group), [])
    # Nothing listens on that port, so its checks fail.
    elb.register_targets(TargetGroupArn=group, Targets=[{"Id": running["Id"], "Port": 9}])
    for _ in range(2000):
        if states(elb, group)[0][0] == "unhealthy":
            break
    check.equal("a target that nobody answers at", states(elb, group), [("unhealthy", "Target.FailedHealthChecks")])
    elb.delete_listener(ListenerArn=listener)
    check.equal("the target after its listener", states(elb, group), [("unused", "Target.NotInUse")])


def walk_tags(elb, check, *arns):
    elb.add_tags(ResourceArns=arns, Tags=[{"Key": "team", "Value": "a"}, {"Key": "stage", "Value": "b"}])
    elb.add_tags(ResourceArns=arns[:1], Tags=[{"Key": "team", "Value": "c"}])
    elb.remove_tags(ResourceArns=arns, TagKeys=["stage", "walk"])
    tags = [row["Tags"] for row in elb.describe_tags(ResourceArns=arns)["TagDescriptions"]]
    check.equal("the tags", tags, [[{"Key": "team", "Value": value}] for value in "ca"])


def walk_network(elb, check, balancer, vpc):
    group = elb.create_target_group(Name="walk-net", Protocol="TCP", Port=80, VpcId=vpc)["TargetGroups"][0]
    check.equal("the time-out of a TCP check", group["HealthCheckTimeoutSeconds"], 10)
    arn = group["TargetGroupArn"]
    elb.describe_target_group_attributes(TargetGroupArn=arn)
    forward = [{"Type": "forward", "TargetGroupArn": arn}]
    elb.create_listener(LoadBalancerArn=balancer, Protocol="TCP", Port=80, DefaultActions=forward)
    elb.delete_load_balancer(LoadBalancerArn=balancer)
    elb.delete_target_group(TargetGroupArn=arn)
    check.refuses(elb.describe_load_balancers, "LoadBalancerNotFound", "Load balancers '[walk-net]' not found",
                  Names=["walk-net"])


def walk_classic(classic, check):
    described = checker.pages(check, classic, "describe_load_balancers", "LoadBalancerDescriptions")
    old = next(balancer for balancer in described if balancer["LoadBalancerName"] == "old")
    classic.describe_load_balancer_attributes(LoadBalancerName="old")
    check.equal("the target of its check", old["HealthCheck"]["Target"], "HTTP:8080/")
    healthy = classic.describe_instance_health(LoadBalancerName="old")["InstanceStates"]
    check.equal("an instance", [(one["State"], one["ReasonCode"], one["Description"]) for one in healthy],
                [("InService", "N/A", "N/A")])
    classic.get_waiter("any_instance_in_service").wait(LoadBalancerName="old", WaiterConfig=PATIENCE)
    check.refuses(classic.describe_instance_health, "LoadBalancerNotFound",
                  "There is no ACTIVE Load Balancer named 'new'", LoadBalancerName="new")
    check.refuses(classic.describe_instance_health, "InvalidInstance", None,
                  LoadBalancerName="old", Instances=[{"InstanceId": "i-0f76fade"}])


def walk_scaling(scaling, ecs, check, cluster):
    target = {"ServiceNamespace": "ecs", "ResourceId": f"service/{cluster}/web",
              "ScalableDimension": "ecs:service:DesiredCount"}

    def desired():
        return ecs.describe_services(cluster=cluster, services=["web"])["services"][0]["desiredCount"]

    before = desired()
    scaling.register_scalable_target(**target, MinCapacity=before + 1, MaxCapacity=before + 3)
    check.equal("a minimum above the desired count", desired(), before + 1)
    scaling.register_scalable_target(**target, MinCapacity=1, SuspendedState={"DynamicScalingInSuspended": True})
    found = checker.pages(check, scaling, "describe_scalable_targets", "ScalableTargets", ServiceNamespace="ecs")
    check.equal("the bounds", [(one["MinCapacity"], one["MaxCapacity"]) for one in found], [(1, before + 3)])
    check.equal("what is suspended", found[0]["SuspendedState"]["DynamicScalingInSuspended"], True)
    check.refuses(scaling.register_scalable_target, "ValidationException",
                  f"ECS service doesn't exist: service/{cluster}/none",
                  **{**target, "ResourceId": f"service/{cluster}/none"}, MinCapacity=1, MaxCapacity=2)
    scaling.deregister_scalable_target(**target)
    check.refuses(scaling.deregister_scalable_target, "ObjectNotFoundException", None, **target)


def main(endpoint):
    check = Checker()
    settings = {
        "endpoint_url": endpoint,
        "region_name": "us-east-1",
        "aws_access_key_id": "simulator",
        "aws_secret_access_key": "simulator",
        "config": botocore.config.Config(retries={"max_attempts": 1}, read_timeout=20),
    }
    names = ("elbv2", "elb", "application-autoscaling", "ecs")
    elb, classic, scaling, ecs = (check.watch(boto3.client(name, **settings)) for name in names)
    existing = elb.describe_load_balancers(Names=["web"])["LoadBalancers"][0]
    subnets = [zone["SubnetId"] for zone in existing["AvailabilityZones"]]
    taken = elb.describe_target_groups(Names=["web"])["TargetGroups"][0]["TargetGroupArn"]
    group = create_group(elb, check, existing["VpcId"])
    change_group(elb, check, group)
    balancer, network = create_balancers(elb, check, subnets)
    walk_tags(elb, check, balancer, group)
    walk_targets(elb, check, balancer, group, taken)
    checker.pages(check, elb, "describe_target_groups", "TargetGroups")
    walk_network(elb, check, network, existing["VpcId"])
    elb.delete_load_balancer(LoadBalancerArn=balancer)
    elb.delete_target_group(TargetGroupArn=group)
    check.refuses(elb.describe_target_health, "TargetGroupNotFound", "One or more target groups not found",
                  TargetGroupArn=group)
    walk_classic(classic, check)
    walk_scaling(scaling, ecs, check, "demo")
    for service, operations in ALWAYS.items():
        for operation in sorted(set(operations) - {name for known, name in check.walked if known == service}):
            check.violate(operation, "", f"of {service} was not walked")
    for violation in dict.fromkeys(check.violations):
        print(violation)
    served = sum(len(operations) for operations in ALWAYS.values())
    print(f"{served} operations walked, {check.members_seen} members validated ({len(check.paths)} different ones), "
          f"{len(check.violations)} violations", file=sys.stderr)
    return 1 if check.violations else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    sys.exit(main(sys.argv[1]))
