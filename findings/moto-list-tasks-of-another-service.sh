#!/usr/bin/env bash
# moto 5.2.5: ListTasks takes `serviceName` and does not look at it: it lists the tasks of every service of the cluster, and of none.
# The API reference: "Specifying a serviceName limits the results to tasks that belong to that service." The name need not even be one.
# So a client that stops or counts "the tasks of the service" passes on moto with the tasks of all the others.
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
        family='web', networkMode='awsvpc', requiresCompatibilities=['FARGATE'], cpu='256', memory='512',
        containerDefinitions=[{'name': 'web', 'image': 'web:1', 'memory': 128}],
    )
    for name in ('web', 'api'):
        ecs.create_service(cluster='prod', serviceName=name, taskDefinition='web', desiredCount=0, launchType='FARGATE', networkConfiguration=network)
    task = ecs.run_task(cluster='prod', taskDefinition='web', group='service:web', launchType='FARGATE', networkConfiguration=network)['tasks'][0]
    for name in ('web', 'api', 'no-service'):
        listed = ecs.list_tasks(cluster='prod', serviceName=name)['taskArns']
        assert listed == [task['taskArn']], (name, listed)
        print(f"moto {moto.__version__}: ListTasks of the service {name!r} lists the task of the group {task['group']!r}")
PYTHON
