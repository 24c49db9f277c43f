#!/usr/bin/env bash
# botocore 1.44.8 (boto3; the AWS CLI has the same waiters): `target_in_service` is meant to wait while a target is not
# registered yet. It waits at the error code `InvalidInstance`, which is of the classic API. DescribeTargetHealth of
# Application and Network Load Balancers answers `InvalidTarget`, so the waiter ends at the first poll with an exception.
# Its sister `target_deregistered` names the right code. Source: data/elbv2/2015-12-01, waiters-2.json and service-2.json.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check boto3==1.44.8 botocore==1.44.8
"$dir/venv/bin/python" - <<'PYTHON'
import boto3, botocore
from botocore.stub import Stubber
from botocore.exceptions import WaiterError

client = boto3.client('elbv2', region_name='us-east-1', aws_access_key_id='x', aws_secret_access_key='x')
declared = [shape.metadata['error']['code'] for shape in client.meta.service_model.operation_model('DescribeTargetHealth').error_shapes]
assert 'InvalidTarget' in declared and 'InvalidInstance' not in declared, declared
group = 'arn:aws:elasticloadbalancing:us-east-1:111122223333:targetgroup/web/0123456789abcdef'
where = dict(TargetGroupArn=group, Targets=[{'Id': '10.0.0.5', 'Port': 8080}])
with Stubber(client) as stub:
    stub.add_client_error('describe_target_health', 'InvalidTarget', 'The following targets are not registered', 400)
    try:
        client.get_waiter('target_in_service').wait(**where)
    except WaiterError as error:
        print(f'botocore {botocore.__version__}: target_in_service, target not registered yet: {error}')
    else:
        raise SystemExit('target_in_service waited: changed')
with Stubber(client) as stub:
    stub.add_client_error('describe_target_health', 'InvalidTarget', 'The following targets are not registered', 400)
    client.get_waiter('target_deregistered').wait(**where)
print('target_deregistered knows the code: succeeded')
PYTHON
