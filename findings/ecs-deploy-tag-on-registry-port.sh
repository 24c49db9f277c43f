#!/usr/bin/env bash
# ecs-deploy 1.17.0 (`ecs deploy CLUSTER SERVICE --tag v2`): the new tag goes behind the last colon of the image.
# In `localhost:5000/app`, a valid image without a tag, that colon stands before the registry's port; in an image with a digest
# it is part of the digest. The first result is another image of another registry, the second is no image reference at all
# (a digest is 64 hexadecimal digits). Both are registered. Grammar: github.com/distribution/reference.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check ecs-deploy==1.17.0
"$dir/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version
from ecs_deploy.ecs import EcsTaskDefinition

expected = {
    'registry.example:5000/app:v1': 'registry.example:5000/app:v2',
    'registry.example:5000/app': 'registry.example:v2',
    'registry.example/app@sha256:' + 'a' * 64: 'registry.example/app@sha256:v2',
}
for image, seen in expected.items():
    definition = EcsTaskDefinition([{'name': 'web', 'image': image}], [], 'web', 1, 'ACTIVE', 'arn')
    definition.set_images('v2')
    result = definition.containers[0]['image']
    assert result == seen, (image, result)
    print(f"ecs-deploy {version('ecs-deploy')}: {image} with --tag v2 -> {result}")
PYTHON
