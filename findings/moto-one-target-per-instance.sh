#!/usr/bin/env bash
# moto 5.2.5: a target group holds one target for each id. On AWS a target is an id with a port (API reference, RegisterTargets:
# "You can register each EC2 instance or IP address with the same target group multiple times using different ports."), and on that
# rests ECS's dynamic host port: two tasks on one instance are two targets. In moto the second registration replaces the first in
# silence, and deregistering the old task's port takes the new task's target away.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check 'moto[ec2,elbv2]==5.2.5' boto3==1.44.8
export AWS_ACCESS_KEY_ID=x AWS_SECRET_ACCESS_KEY=x AWS_DEFAULT_REGION=us-east-1
"$dir/venv/bin/python" - <<'PYTHON'
import boto3, moto
from moto import mock_aws

with mock_aws():
    ec2, elb = boto3.client('ec2'), boto3.client('elbv2')
    image = ec2.describe_images()['Images'][0]['ImageId']
    instance = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1)['Instances'][0]['InstanceId']
    vpc = ec2.describe_vpcs()['Vpcs'][0]['VpcId']
    group = elb.create_target_group(Name='web', Protocol='HTTP', Port=80, VpcId=vpc, TargetType='instance')['TargetGroups'][0]['TargetGroupArn']
    ports = lambda: [row['Target']['Port'] for row in elb.describe_target_health(TargetGroupArn=group)['TargetHealthDescriptions']]
    old, new = ({'Id': instance, 'Port': port} for port in (32768, 32769))
    elb.register_targets(TargetGroupArn=group, Targets=[old, new])
    registered = ports()
    elb.deregister_targets(TargetGroupArn=group, Targets=[old])
    left = ports()
    assert (registered, left) == ([32769], []), (registered, left)
    print(f'moto {moto.__version__}: registered 32768 and 32769 of one instance, listed {registered}; deregistered 32768, listed {left}')
PYTHON
