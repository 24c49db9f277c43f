#!/usr/bin/env python3
"""Says what a newer botocore adds to the operations that portzero calls and to every shape in their answers.

    pip install --upgrade botocore
    tools/what-aws-added.py            # prints what tools/aws-model.json lacks
    tools/what-aws-added.py --check    # and exits with 1 if there is anything
    tools/what-aws-added.py --write    # renews tools/aws-model.json, once it is read and dealt with

The table has, for each service: of each operation its input and output shape, of each structure its members, of each
enumeration its values.
"""
import argparse
import glob
import gzip
import json
import os
import sys

import botocore

TABLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "aws-model.json")

# What the adapters call (src/adapters/aws); a test holds the two against each other.
OPERATIONS = {
    "ecs": [
        "DeregisterTaskDefinition",
        "DescribeContainerInstances",
        "DescribeServiceDeployments",
        "DescribeServiceRevisions",
        "DescribeServices",
        "DescribeTaskDefinition",
        "DescribeTasks",
        "ListClusters",
        "ListContainerInstances",
        "ListServiceDeployments",
        "ListServices",
        "ListTaskDefinitions",
        "ListTasks",
        "RegisterTaskDefinition",
        "StopServiceDeployment",
        "UpdateService",
    ],
    "elb": ["DescribeInstanceHealth", "DescribeLoadBalancerAttributes", "DescribeLoadBalancers"],
    "elbv2": [
        "DescribeListeners",
        "DescribeLoadBalancers",
        "DescribeRules",
        "DescribeTargetGroupAttributes",
        "DescribeTargetGroups",
        "DescribeTargetHealth",
    ],
    "logs": ["GetLogEvents"],
    "sts": ["AssumeRoleWithWebIdentity", "GetCallerIdentity"],
}


def model_of(service):
    """The service's newest model, as botocore carries it."""
    pattern = os.path.join(os.path.dirname(botocore.__file__), "data", service, "*", "service-2.json*")
    path = max(glob.glob(pattern))
    with gzip.open(path) if path.endswith(".gz") else open(path, "rb") as file:
        return json.load(file)


def table_of(service, operations):
    model = model_of(service)
    shapes = model["shapes"]
    table = {"operations": {}, "members": {}, "values": {}}

    def walk(name):
        shape = shapes[name]
        if shape["type"] == "structure":
            if name not in table["members"]:
                table["members"][name] = sorted(shape["members"])
                for member in shape["members"].values():
                    walk(member["shape"])
        elif shape["type"] == "list":
            walk(shape["member"]["shape"])
        elif shape["type"] == "map":
            walk(shape["value"]["shape"])
        elif "enum" in shape:
            table["values"][name] = sorted(shape["enum"])

    for operation in operations:
        described = model["operations"][operation]
        ends = {end: described[end]["shape"] for end in ("input", "output") if end in described}
        table["operations"][operation] = ends
        for name in ends.values():
            walk(name)
    return table


def additions(known, new):
    """Lines for what the new table has and the known one lacks, a structure that is new as a whole in one line."""
    for service, table in new.items():
        before = known.get(service, {"operations": {}, "members": {}, "values": {}})
        for operation in sorted(table["operations"].keys() - before["operations"].keys()):
            yield f"{service}: operation {operation}"
        for shape, members in sorted(table["members"].items()):
            if shape not in before["members"]:
                yield f"{service}: structure {shape}: {', '.join(members)}"
                continue
            for member in sorted(set(members) - set(before["members"][shape])):
                yield f"{service}: member {shape}.{member}"
        for name, values in sorted(table["values"].items()):
            if name not in before["values"]:
                yield f"{service}: enumeration {name}: {', '.join(values)}"
                continue
            for value in sorted(set(values) - set(before["values"][name])):
                yield f"{service}: value {name} {value}"


def written(tables):
    """JSON with one line for each operation, structure and enumeration, so that a difference can be read."""
    lines = ["{", f'  "source": "botocore {botocore.__version__}; written by tools/what-aws-added.py"']
    for service, table in tables.items():
        lines[-1] += ","
        lines.append(f'  "{service}": {{')
        for kind, entries in table.items():
            rows = [f"      {json.dumps(name)}: {json.dumps(entry)}" for name, entry in sorted(entries.items())]
            lines += [f'    "{kind}": {{', ",\n".join(rows)] if rows else [f'    "{kind}": {{']
            lines.append("    },")
        lines[-1] = "    }"
        lines.append("  }")
    return "\n".join(lines + ["}", ""])


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--check", action="store_true", help="exit with 1 if there is anything new")
    options.add_argument("--write", action="store_true", help="renew the table")
    options.add_argument("--table", default=TABLE, help="another table than tools/aws-model.json")
    options = options.parse_args()

    new = {service: table_of(service, operations) for service, operations in OPERATIONS.items()}
    known = {}
    if os.path.exists(options.table):
        with open(options.table, encoding="utf-8") as file:
            known = json.load(file)
    found = list(additions(known, new))
    if options.write:
        with open(options.table, "w", encoding="utf-8") as file:
            file.write(written(new))
    for line in found:
        print(line)
    source = known.get("source", "nothing").split(";")[0]
    print(f"{len(found)} additions of botocore {botocore.__version__} to {source}", file=sys.stderr)
    return 1 if found and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
