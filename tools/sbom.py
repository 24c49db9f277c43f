#!/usr/bin/env python3
"""Prints the CycloneDX 1.5 list of what a release is made of: tools/sbom.py TRIPLE

The crates are those that `cargo metadata --locked` finds for that platform, without what only tests use. The same sources give
the same bytes.
"""

import json
import subprocess
import sys
import tomllib
import uuid


def main(triple):
    command = ["cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", triple]
    found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    packages = {package["id"]: package for package in found["packages"]}
    nodes = {node["id"]: node for node in found["resolve"]["nodes"]}
    root = found["resolve"]["root"]
    reached = reach(nodes, root)
    with open("Cargo.lock", "rb") as lock:
        locked = {(p["name"], p["version"]): p.get("checksum") for p in tomllib.load(lock)["package"]}
    crates = sorted((packages[i] for i in reached if i != root), key=lambda p: (p["name"], p["version"]))
    dependencies = [
        {"ref": ref(packages[i]), "dependsOn": sorted(ref(packages[d]) for d in built(nodes[i]) if d in reached)}
        for i in reached
    ]
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {**component(packages[root], locked), "type": "application"}},
        "components": [component(package, locked) for package in crates],
        "dependencies": sorted(dependencies, key=lambda d: d["ref"]),
    }
    # Of what it lists, so that two lists have one number where they are the same.
    number = uuid.uuid5(uuid.NAMESPACE_URL, triple + json.dumps(document, sort_keys=True))
    document["serialNumber"] = f"urn:uuid:{number}"
    json.dump(document, sys.stdout, indent=1, sort_keys=True)
    print()


def built(node):
    """What is built for it, or into it: no dependency of its tests."""
    for dependency in node["deps"]:
        if any(kind["kind"] != "dev" for kind in dependency["dep_kinds"]):
            yield dependency["pkg"]


def reach(nodes, root):
    seen, waiting = {root}, [root]
    while waiting:
        for found in built(nodes[waiting.pop()]):
            if found not in seen:
                seen.add(found)
                waiting.append(found)
    return seen


def ref(package):
    return f"pkg:cargo/{package['name']}@{package['version']}"


def component(package, locked):
    found = {"type": "library", "name": package["name"], "version": package["version"], "bom-ref": ref(package),
             "purl": ref(package)}
    if package.get("license"):
        expression = " ".join(package["license"].replace("/", " OR ").split())
        found["licenses"] = [{"expression": expression}]
    checksum = locked.get((package["name"], package["version"]))
    if checksum:
        found["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    return found


main(sys.argv[1])
