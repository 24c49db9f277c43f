"""Load balancing: target groups, health, load balancers, listeners, rules."""

from checker import pages


def walk(elb, check, service):
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
