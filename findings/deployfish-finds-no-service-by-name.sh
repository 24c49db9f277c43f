#!/usr/bin/env bash
# deployfish 1.18.1: listing a cluster's services by name takes the second part of the ARN for the name. In the ARNs that ECS
# has given since 2019 (`service/CLUSTER/NAME`) that is the cluster. So a service is not found by its own name, and all of a
# cluster's services are found by the cluster's name. moto 5.2.5 stands in for AWS; it writes the ARNs as AWS does.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check deployfish==1.18.1 'moto[ecs]==5.2.5'
export AWS_ACCESS_KEY_ID=x AWS_SECRET_ACCESS_KEY=x AWS_DEFAULT_REGION=us-east-1
"$dir/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version
import boto3
from moto import mock_aws

with mock_aws():
    ecs = boto3.client('ecs')
    ecs.create_cluster(clusterName='prod')
    ecs.register_task_definition(family='web', containerDefinitions=[{'name': 'web', 'image': 'web:1', 'memory': 128}])
    for name in ('web', 'api'):
        ecs.create_service(cluster='prod', serviceName=name, taskDefinition='web', desiredCount=0)
    arns = ecs.list_services(cluster='prod')['serviceArns']
    assert all(':service/prod/' in arn for arn in arns), arns

    from deployfish.core.aws import build_boto3_session
    build_boto3_session('')
    from deployfish.core.models import Service
    found = {name: len(Service.objects.list(cluster_name='prod', service_name=name)) for name in ('web', 'api', 'prod')}
    assert found == {'web': 0, 'api': 0, 'prod': 2}, found
    print(f"deployfish {version('deployfish')}: services of the cluster prod are web and api; found by name: {found}")
PYTHON
