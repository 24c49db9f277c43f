#!/usr/bin/env bash
# botocore 1.44.8 (boto3; the AWS CLI has the same waiters): `services_stable` asks for one deployment and as many running
# tasks as are wanted. It does not ask which deployment that is. After the circuit breaker of ECS has rolled a deployment
# back, both are true of the old revision, so who waits for the new one is told that all is well.
# Source of the condition: data/ecs/2014-11-13/waiters-2.json of the package.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check boto3==1.44.8 botocore==1.44.8
"$dir/venv/bin/python" - <<'PYTHON'
import boto3, botocore
from botocore.stub import Stubber

client = boto3.client('ecs', region_name='us-east-1', aws_access_key_id='x', aws_secret_access_key='x')
family = 'arn:aws:ecs:us-east-1:111122223333:task-definition/web'
# What DescribeServices shows after web:2 was deployed, its tasks failed, and the breaker has gone back to web:1.
answer = {'failures': [], 'services': [{
    'serviceName': 'web', 'status': 'ACTIVE', 'taskDefinition': family + ':1', 'desiredCount': 2, 'runningCount': 2,
    'deployments': [{'id': 'ecs-svc/3', 'status': 'PRIMARY', 'taskDefinition': family + ':1', 'rolloutState': 'COMPLETED',
                     'rolloutStateReason': 'ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/1.'}],
}]}
with Stubber(client) as stub:
    stub.add_response('describe_services', answer)
    client.get_waiter('services_stable').wait(services=['web'])
print(f'botocore {botocore.__version__}: services_stable succeeded at the first poll; web:2 was asked for, web:1 runs')
PYTHON
