#!/usr/bin/env bash
# moto 5.2.5: the container of a RUNNING task is PENDING, has the exit code 0, and names its task definition as `taskArn`.
# The API reference of Container: `exitCode` is "the exit code returned from the container", and `taskArn` "the ARN of the task".
# Of two containers moto shows the first. So a client that waits for a container to exit with 0 is done before it has begun.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check 'moto[ec2,ecs]==5.2.5' boto3==1.44.8
export AWS_ACCESS_KEY_ID=x AWS_SECRET_ACCESS_KEY=x AWS_DEFAULT_REGION=us-east-1
"$dir/venv/bin/python" - <<'PYTHON'
import boto3, moto
from moto import mock_aws

with mock_aws():
    ec2, ecs = boto3.client('ec2'), boto3.client('ecs')
    subnets = [subnet['SubnetId'] for subnet in ec2.describe_subnets()['Subnets'][:1]]
    groups = [group['GroupId'] for group in ec2.describe_security_groups()['SecurityGroups'][:1]]
    network = {'awsvpcConfiguration': {'subnets': subnets, 'securityGroups': groups}}
    ecs.create_cluster(clusterName='prod')
    ecs.register_task_definition(
        family='migrate', networkMode='awsvpc', requiresCompatibilities=['FARGATE'], cpu='256', memory='512',
        containerDefinitions=[{'name': name, 'image': f'{name}:1', 'memory': 128} for name in ('migrate', 'log')],
    )
    task = ecs.run_task(cluster='prod', taskDefinition='migrate', launchType='FARGATE', networkConfiguration=network)['tasks'][0]
    [container] = task['containers']
    seen = (task['lastStatus'], container['lastStatus'], container['exitCode'], container['taskArn'].endswith(':task-definition/migrate:1'))
    assert seen == ('RUNNING', 'PENDING', 0, True), seen
    print(f"moto {moto.__version__}: task {task['lastStatus']}; its one container of two: {container['lastStatus']}, exit code {container['exitCode']}, taskArn {container['taskArn']}")
PYTHON
