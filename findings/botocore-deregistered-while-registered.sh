#!/usr/bin/env bash
# botocore 1.44.8 (boto3; the AWS CLI has the same waiters): the waiters for the end of a deregistration succeed where
# nothing was deregistered.
# - Classic load balancers, `instance_deregistered`: OutOfService is enough. That is also the state of an instance that is
#   registered and fails its health check, and of a new one that has not passed it yet.
# - Application and Network Load Balancers, `target_deregistered`: `unused` is enough. That is also the state of a registered
#   target whose group no listener forwards to (reason Target.NotInUse).
# Source of the conditions: data/elb/2012-06-01 and data/elbv2/2015-12-01, waiters-2.json, of the package. The states are those
# of the API references: "Instance has failed at least the UnhealthyThreshold number of health checks consecutively."
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check boto3==1.44.8 botocore==1.44.8
"$dir/venv/bin/python" - <<'PYTHON'
import boto3, botocore
from botocore.stub import Stubber

of = dict(region_name='us-east-1', aws_access_key_id='x', aws_secret_access_key='x')
classic = boto3.client('elb', **of)
with Stubber(classic) as stub:
    stub.add_response('describe_instance_health', {'InstanceStates': [{
        'InstanceId': 'i-1', 'State': 'OutOfService', 'ReasonCode': 'Instance',
        'Description': 'Instance has failed at least the UnhealthyThreshold number of health checks consecutively.'}]})
    classic.get_waiter('instance_deregistered').wait(LoadBalancerName='web', Instances=[{'InstanceId': 'i-1'}])
print(f'botocore {botocore.__version__}: instance_deregistered succeeded for a registered instance that fails its check')

newer = boto3.client('elbv2', **of)
group = 'arn:aws:elasticloadbalancing:us-east-1:111122223333:targetgroup/web/0123456789abcdef'
with Stubber(newer) as stub:
    stub.add_response('describe_target_health', {'TargetHealthDescriptions': [{
        'Target': {'Id': 'i-1', 'Port': 32768}, 'TargetHealth': {'State': 'unused', 'Reason': 'Target.NotInUse'}}]})
    newer.get_waiter('target_deregistered').wait(TargetGroupArn=group, Targets=[{'Id': 'i-1', 'Port': 32768}])
print(f'botocore {botocore.__version__}: target_deregistered succeeded for a registered target of a group that is not in use')
PYTHON
