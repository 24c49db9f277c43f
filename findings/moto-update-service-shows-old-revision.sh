#!/usr/bin/env bash
# moto 5.2.5: after UpdateService with another task definition, the service names the new revision, but begins no deployment:
# its only one keeps its id and the old revision. With forceNewDeployment there is a new id, and the old revision all the same;
# the deployment that ran before is gone at once. On AWS a new PRIMARY names the new revision in both cases, and the old
# deployment stays as ACTIVE until its tasks have stopped (API reference, Deployment).
# Code that follows a deployment by its revision waits for ever on moto. Code that looks at the service's task definition alone
# passes there, and believes on AWS what has only been asked for.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check 'moto[ecs]==5.2.5' boto3==1.44.8
export AWS_ACCESS_KEY_ID=x AWS_SECRET_ACCESS_KEY=x AWS_DEFAULT_REGION=us-east-1
"$dir/venv/bin/python" - <<'PYTHON'
import boto3, moto
from moto import mock_aws

def shown(service):
    return [(d['status'], d['taskDefinition'].split('/')[-1], d['id']) for d in service['deployments']]

with mock_aws():
    ecs = boto3.client('ecs')
    ecs.create_cluster(clusterName='prod')
    for tag in ('web:1', 'web:2'):
        ecs.register_task_definition(family='web', containerDefinitions=[{'name': 'web', 'image': tag, 'memory': 128}])
    before = ecs.create_service(cluster='prod', serviceName='web', taskDefinition='web:1', desiredCount=2)['service']
    for force in (False, True):
        after = ecs.update_service(cluster='prod', service='web', taskDefinition='web:2', forceNewDeployment=force)['service']
        assert after['taskDefinition'].endswith('web:2'), after
        assert [d[:2] for d in shown(after)] == [('PRIMARY', 'web:1')], shown(after)
        same = shown(after)[0][2] == shown(before)[0][2]
        assert same == (not force)
        print(f"moto {moto.__version__}: forceNewDeployment {force}: the service names web:2, its deployments are {shown(after)}, "
              f"the id is {'the old one' if same else 'new'}")
PYTHON
