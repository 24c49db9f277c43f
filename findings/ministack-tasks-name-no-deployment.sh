#!/usr/bin/env bash
# MiniStack 1.5.33: `startedBy` of a service's tasks is the name of the service, so ListTasks by the id of a deployment finds none.
# The API reference of Task: "If an Amazon ECS service started the task, the startedBy parameter contains the deployment ID of that service."
# So two deployments of one revision cannot be told apart by their tasks, and a client that follows a deployment waits for ever.
set -euo pipefail
dir=$(mktemp -d); trap '[[ -z ${server-} ]] || kill "$server"; rm -rf "$dir"' EXIT
for name in server client; do python3 -m venv "$dir/$name"; done
"$dir/server/bin/pip" install --quiet --disable-pip-version-check ministack==1.5.33
"$dir/client/bin/pip" install --quiet --disable-pip-version-check boto3==1.44.8
BIND_HOST=127.0.0.1 GATEWAY_PORT=0 "$dir/server/bin/ministack" >"$dir/log" 2>&1 &
server=$!
for _ in $(seq 300); do grep -q 'Running on http' "$dir/log" && break; sleep 0.1; done
AWS_ENDPOINT_URL=$(sed -n 's/.*Running on \(http[^ ]*\).*/\1/p' "$dir/log" | head -n 1)
export AWS_ENDPOINT_URL AWS_ACCESS_KEY_ID=x AWS_SECRET_ACCESS_KEY=x AWS_DEFAULT_REGION=us-east-1
"$dir/client/bin/python" - <<'PYTHON'
import boto3

ecs = boto3.client('ecs')
ecs.create_cluster(clusterName='prod')
ecs.register_task_definition(family='web', containerDefinitions=[{'name': 'web', 'image': 'web:1', 'memory': 128}])
service = ecs.create_service(cluster='prod', serviceName='web', taskDefinition='web', desiredCount=2)['service']
deployment = service['deployments'][0]['id']
tasks = ecs.describe_tasks(cluster='prod', tasks=ecs.list_tasks(cluster='prod', serviceName='web')['taskArns'])['tasks']
by = {task['startedBy'] for task in tasks}
listed = ecs.list_tasks(cluster='prod', startedBy=deployment)['taskArns']
assert len(tasks) == 2 and by == {'web'} and listed == [], (tasks, listed)
print(f'MiniStack 1.5.33: {len(tasks)} tasks of deployment {deployment[:8]}...: startedBy {by}; ListTasks by the deployment: {listed}')
PYTHON
