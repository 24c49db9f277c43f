"""Makes a cluster with a load-balanced service of two tasks on the endpoint that the environment names."""

import boto3

ec2, elb, ecs = boto3.client("ec2"), boto3.client("elbv2"), boto3.client("ecs")

vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"][:2]]
balancer = elb.create_load_balancer(Name="web", Subnets=subnets)["LoadBalancers"][0]
created = elb.create_target_group(Name="web", Protocol="HTTP", Port=80, VpcId=vpc, TargetType="instance")
group = created["TargetGroups"][0]["TargetGroupArn"]
listener = elb.create_listener(
    LoadBalancerArn=balancer["LoadBalancerArn"],
    Protocol="HTTP",
    Port=80,
    DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
)["Listeners"][0]
elb.create_rule(
    ListenerArn=listener["ListenerArn"],
    Priority=10,
    Conditions=[
        {"Field": "host-header", "HostHeaderConfig": {"Values": ["*.example.com", "shop.example.com"]}},
        {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/web/*"]}},
    ],
    Actions=[{"Type": "forward", "TargetGroupArn": group}],
)

port = {"containerPort": 8080, "hostPort": 0}
container = {"name": "web", "image": "example/web:1", "memory": 128, "portMappings": [port]}
ecs.create_cluster(clusterName="staging")
ecs.register_task_definition(family="web", networkMode="bridge", containerDefinitions=[container])
ecs.create_service(
    cluster="staging",
    serviceName="web",
    taskDefinition="web:1",
    desiredCount=2,
    loadBalancers=[{"targetGroupArn": group, "containerName": "web", "containerPort": 8080}],
)
