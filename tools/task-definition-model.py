#!/usr/bin/env python3
"""Writes crates/portzero-core/src/task_definition/check/model.json from the ECS model of the botocore that is installed.

Run it when AWS adds keys, and read the difference before it is committed:

    pip install --upgrade botocore && python3 tools/task-definition-model.py > crates/portzero-core/src/task_definition/check/model.json

Types: `string`, `string(a|b)` with the values the API lists, `integer`, `boolean`, `[T]` a list, `{T}` a map with any
keys, anything else the name of a shape.
"""
import gzip
import json
import os

import botocore

path = os.path.join(os.path.dirname(botocore.__file__), "data/ecs/2014-11-13/service-2.json.gz")
with gzip.open(path) as file:
    shapes = json.load(file)["shapes"]

table = {}


def type_of(name):
    shape = shapes[name]
    kind = shape["type"]
    if kind == "structure":
        if name not in table:
            table[name] = {}
            keys = {key: type_of(member["shape"]) for key, member in shape["members"].items()}
            table[name] = {"required": shape.get("required", []), "keys": keys}
        return name
    if kind == "list":
        return "[" + type_of(shape["member"]["shape"]) + "]"
    if kind == "map":
        return "{" + type_of(shape["value"]["shape"]) + "}"
    if "enum" in shape:
        return "string(" + "|".join(shape["enum"]) + ")"
    return "integer" if kind == "long" else kind


root = type_of("RegisterTaskDefinitionRequest")
output_only = sorted(set(shapes["TaskDefinition"]["members"]) - set(table[root]["keys"]))
lines = [
    "{",
    f'  "source": "botocore {botocore.__version__}, ecs/2014-11-13, {root}; written by tools/task-definition-model.py",',
    f'  "root": "{root}",',
    f'  "output_only": {json.dumps(output_only)},',
    '  "shapes": {',
]
entries = [f"    {json.dumps(name)}: {json.dumps(shape)}" for name, shape in table.items()]
lines.append(",\n".join(entries))
lines += ["  }", "}"]
print("\n".join(lines))
