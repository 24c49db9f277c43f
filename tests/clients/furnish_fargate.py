"""Makes a cluster with two services on Fargate on the endpoint that the environment names: `web` behind a target group of
addresses, and `worker` without one. With `tasks`, it also runs the tasks of `web` and registers them, for moto, which does
neither."""

import json
import os
import sys
import urllib.request

import boto3

ec2, elb, ecs = boto3.client("ec2"), boto3.client("elbv2"), boto3.client("ecs")

vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"][:2]]
groups = [one["GroupId"] for one in ec2.describe_security_groups()["SecurityGroups"][:1]]
balancer = elb.create_load_balancer(Name="web", Subnets=subnets)["LoadBalancers"][0]
created = elb.create_target_group(Name="web", Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip")
group = created["TargetGroups"][0]["TargetGroupArn"]
elb.create_listener(
    LoadBalancerArn=balancer["LoadBalancerArn"],
    Protocol="HTTP",
    Port=80,
    DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
)

ecs.create_cluster(clusterName="staging")
network = {"awsvpcConfiguration": {"subnets": subnets, "securityGroups": groups}}


def serve(name, count, ports, balancers):
    # moto adds up the memory of the containers.
    container = {"name": name, "image": f"example/{name}:1", "essential": True, "memory": 256, "portMappings": ports}
    ecs.register_task_definition(
        family=name,
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        containerDefinitions=[container],
    )
    return ecs.create_service(
        cluster="staging",
        serviceName=name,
        taskDefinition=f"{name}:1",
        desiredCount=count,
        launchType="FARGATE",
        networkConfiguration=network,
        loadBalancers=balancers,
    )["service"]


serve("worker", 1, [], [])
web = serve(
    "web",
    2,
    [{"containerPort": 8080}],
    [{"targetGroupArn": group, "containerName": "web", "containerPort": 8080}],
)
if "tasks" in sys.argv:
    # Else each DescribeTasks would move a task on to its end.
    stays = {"model_name": "ecs::task", "transition": {"progression": "manual", "times": 1_000_000}}
    setting = os.environ["AWS_ENDPOINT_URL"] + "/moto-api/state-manager/set-transition"
    urllib.request.urlopen(urllib.request.Request(setting, json.dumps(stays).encode(), {"Content-Type": "application/json"}))
    tasks = ecs.run_task(
        cluster="staging",
        taskDefinition="web:1",
        count=2,
        launchType="FARGATE",
        networkConfiguration=network,
        startedBy=web["deployments"][0]["id"],
        group="service:web",
    )["tasks"]
    details = [detail for task in tasks for one in task["attachments"] for detail in one["details"]]
    addresses = [detail["value"] for detail in details if detail["name"] == "privateIPv4Address"]
    elb.register_targets(TargetGroupArn=group, Targets=[{"Id": address, "Port": 8080} for address in addresses])
