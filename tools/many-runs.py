#!/usr/bin/env python3
"""Runs `portzero deploy` many times at once against one `portzero simulate`, and tells what it took.

    tools/many-runs.py PORTZERO [--runs 50] [--speed 1x] [--scenario FILE --config FILE]

Without --scenario: as many services as runs, each behind a target group of its own, in one account with AWS's published
token buckets (`throttling: aws`), and a run for each. With --scenario and --config: that configuration, once.
Peak memory is that of the deploying processes alone (VmHWM, as the kernel counts it for its children).
"""

import argparse
import collections
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time


def scenario(runs):
    names = [f"web-{n:02}" for n in range(runs)]
    container = {"cpu": 64, "memory": 64, "essential": True,
                 "portMappings": [{"containerPort": 3000, "hostPort": 0, "protocol": "tcp"}]}
    return {
        "cluster": "shop",
        "throttling": "aws",
        "instances": [{"cluster": "shop", "count": 4, "cpu": 100000, "memory": 100000}],
        "target_groups": [{"name": name, "health_check": {"interval": "10s"}, "deregistration_delay": "30s"}
                          for name in names],
        "services": [{
            "name": name, "desired_count": 2,
            "load_balancers": [{"target_group": name, "container_name": "app", "container_port": 3000}],
            "task_definition": {"family": name, "networkMode": "bridge", "containerDefinitions": [
                dict(container, name="app", image=f"example/{name}:1")]},
        } for name in names],
    }, names


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("portzero")
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--speed", default="1x")
    parser.add_argument("--scenario")
    parser.add_argument("--config")
    args = parser.parse_args()
    program = str(pathlib.Path(args.portzero).resolve())
    folder = pathlib.Path(tempfile.mkdtemp(prefix="many-runs-"))
    path, names = args.scenario, [None]
    if not path:
        world, names = scenario(args.runs)
        path = folder / "scenario.yml"
        path.write_text(json.dumps(world))
    simulator = subprocess.Popen(
        [program, "simulate", "--port", "0", "--scenario", str(path), "--speed", args.speed],
        stdout=subprocess.PIPE, text=True)
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "AWS_EC2_METADATA_DISABLED": "true"}
    for line in simulator.stdout:
        if line.startswith("#"):
            break
        env.update(part.split("=", 1) for part in line.split()[1:])
    begun = time.monotonic()
    runs = []
    for index, name in enumerate(names):
        report = folder / f"{index}.json"
        what = ["--config", args.config] if args.config else [
            "--cluster", "shop", "--service", name, "--image", f"example/{name}:2"]
        log = open(folder / f"{index}.log", "w")
        runs.append((report, subprocess.Popen(
            [program, "deploy", "--quiet", "--report", str(report), *what], env=env, stdout=log, stderr=log)))
    codes = collections.Counter(run.wait() for _, run in runs)
    took = time.monotonic() - begun
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    simulator.kill()
    simulator.wait()
    reports = [json.loads(report.read_text()) for report, _ in runs if report.exists()]
    verdicts = collections.Counter(report["verdict"] for report in reports)
    totals = sorted(report["requests"]["total"] for report in reports)
    throttled = sorted(report["requests"]["throttled"] for report in reports)
    durations = sorted(report["duration_s"] for report in reports)
    def spread(values):
        return f"{values[0]} .. {values[len(values) // 2]} .. {values[-1]}" if values else "none"
    print(f"{len(runs)} runs in {took:.0f} s at {args.speed}: exit codes {dict(codes)}, verdicts {dict(verdicts)}")
    print(f"requests a run (least .. median .. most): {spread(totals)}; throttled: {spread(throttled)}")
    print(f"duration a run in s: {spread(durations)}; peak memory of a process: {memory / 1024:.1f} MB")
    print(f"reports and logs: {folder}")
    return 0 if set(codes) == {0} else 1


if __name__ == "__main__":
    sys.exit(main())
