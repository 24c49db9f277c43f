#!/usr/bin/env bash
# ecs-deplojo 0.13.0: environment values of its configuration that are no text pass through Python's str(). YAML's `true`
# reaches the container as `True`, `null` as `None`, and `1.10` as `1.1`. A program that compares with "true" finds its
# switch off. The task definition is registered without a word.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check ecs-deplojo==0.13.0
"$dir/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version
import yaml
from ecs_deplojo.task_definitions import TaskDefinition

configuration = yaml.safe_load('environment: {FEATURE: true, PROXY: null, RATE: 1.10}')
definition = TaskDefinition({'family': 'web', 'containerDefinitions': [{'name': 'web', 'image': 'web:1'}]})
definition.set_environment(configuration['environment'])
seen = {entry['name']: entry['value'] for entry in definition.as_dict()['containerDefinitions'][0]['environment']}
assert seen == {'FEATURE': 'True', 'PROXY': 'None', 'RATE': '1.1'}, seen
print(f"ecs-deplojo {version('ecs-deplojo')}: FEATURE: true, PROXY: null, RATE: 1.10 -> {seen}")
PYTHON
