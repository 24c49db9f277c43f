#!/usr/bin/env bash
# botocore 1.44.8 (boto3; the AWS CLI has the same waiters): `services_inactive` takes a list of services, and succeeds as
# soon as any one of them is INACTIVE. Its sisters for tasks (`tasks_stopped`, `tasks_running`) ask for all.
# Source of the condition: data/ecs/2014-11-13/waiters-2.json of the package ("pathAny").
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check boto3==1.44.8 botocore==1.44.8
"$dir/venv/bin/python" - <<'PYTHON'
import boto3, botocore
from botocore.stub import Stubber
from botocore.exceptions import WaiterError

client = boto3.client('ecs', region_name='us-east-1', aws_access_key_id='x', aws_secret_access_key='x')
with Stubber(client) as stub:
    stub.add_response('describe_services', {'failures': [], 'services': [
        {'serviceName': 'web', 'status': 'INACTIVE'}, {'serviceName': 'api', 'status': 'ACTIVE', 'runningCount': 2}]})
    client.get_waiter('services_inactive').wait(services=['web', 'api'])
print(f'botocore {botocore.__version__}: services_inactive succeeded for web and api; api is ACTIVE with 2 tasks')
# The other waiter with a list is not content with one.
with Stubber(client) as stub:
    stub.add_response('describe_tasks', {'failures': [], 'tasks': [{'lastStatus': 'STOPPED'}, {'lastStatus': 'RUNNING'}]})
    try:
        client.get_waiter('tasks_stopped').wait(tasks=['a', 'b'], WaiterConfig={'MaxAttempts': 1})
    except WaiterError as error:
        print('tasks_stopped, one of two tasks stopped:', error)
    else:
        raise SystemExit('tasks_stopped succeeded for one of two: changed')
PYTHON
