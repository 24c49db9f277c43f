#!/usr/bin/env bash
# moto 5.2.5: ListServices gives everything in one answer, also where maxResults asks for less, and no nextToken.
# On AWS a page of ListServices has 10 entries unless asked otherwise (API reference). moto's DescribeServices takes 12 services;
# the API reference: "You may specify up to 10 services to describe in a single operation." So a client that reads one page only, or asks for too much, passes on moto.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check 'moto[ecs]==5.2.5' boto3==1.44.8
export AWS_ACCESS_KEY_ID=x AWS_SECRET_ACCESS_KEY=x AWS_DEFAULT_REGION=us-east-1
"$dir/venv/bin/python" - <<'PYTHON'
import boto3, moto
from moto import mock_aws

with mock_aws():
    ecs = boto3.client('ecs')
    ecs.create_cluster(clusterName='prod')
    ecs.register_task_definition(family='web', containerDefinitions=[{'name': 'web', 'image': 'web:1', 'memory': 128}])
    names = [f'web-{number}' for number in range(12)]
    for name in names:
        ecs.create_service(cluster='prod', serviceName=name, taskDefinition='web', desiredCount=0)
    for asked in ({}, {'maxResults': 5}):
        page = ecs.list_services(cluster='prod', **asked)
        assert len(page['serviceArns']) == 12 and not page.get('nextToken'), page
        print(f"moto {moto.__version__}: ListServices {asked}: {len(page['serviceArns'])} of 12, nextToken {page.get('nextToken')}")
    described = len(ecs.describe_services(cluster='prod', services=names)['services'])
    assert described == 12, described
    print(f'moto {moto.__version__}: DescribeServices of 12 services: {described}')
PYTHON
