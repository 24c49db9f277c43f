#!/usr/bin/env python3
"""Runs `portzero deploy` many times at once against one `portzero simulate`, and tells what it took.

    tools/many-runs.py PORTZERO [--runs 50] [--speed 1x] [--scenario FILE --config FILE]

Without --scenario: as many services as runs, each behind a target group of its own, in one account with AWS's published
token buckets (`throttling: aws`), and a run for each. With --scenario and --config: that configuration, once.
Peak memory is that of the deploying processes alone: VmHWM of each, read twice a second while it runs. What the kernel counts
for its children would be this script's own, from before they became the program.

The lag of a verdict is counted from the last look at the simulator's truth that did not show the deployment done yet, so it is
too long by one look (half a second) at most. The verdict is the end of the process; where a run has several services, the end of
the service's last phase. At another speed than 1x the lag is multiplied by it, and so is the time that the program itself takes.
"""

import argparse
import collections
import datetime
import http.client
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

# One request shows all services, and costs the simulator 15 ms of a debug build where there are fifty.
LOOK_EVERY = 0.5


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


class Truth:
    """Which deployments the simulated world has truly done, and since when."""

    def __init__(self, endpoint):
        self.address = urllib.parse.urlsplit(endpoint).netloc
        self.connection = http.client.HTTPConnection(self.address)
        self.looked_at = time.time()
        # By (cluster, service, deployment): each change as (the look before it, whether it is done).
        self.changes = collections.defaultdict(list)
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)
        self.thread.start()

    def watch(self):
        while not self.over.wait(LOOK_EVERY):
            self.look()

    def look(self):
        now = time.time()
        self.connection.request("GET", "/_portzero/truth")
        world = json.load(self.connection.getresponse())
        for service in world["services"]:
            for deployment in service["deployments"]:
                changes = self.changes[service["cluster"], service["service"], deployment["id"]]
                if deployment["done"] != (bool(changes) and changes[-1][1]):
                    changes.append((self.looked_at, deployment["done"]))
        self.looked_at = now

    def close(self):
        self.over.set()
        self.thread.join()
        self.look()

    def lag(self, key, verdict_at):
        """Seconds, or None where the deployment was not done when the verdict was said."""
        before = [change for change in self.changes[key] if change[0] <= verdict_at]
        return verdict_at - before[-1][0] if before and before[-1][1] else None


class Memory:
    """The most that any of the processes has held at once, in KiB."""

    def __init__(self, processes):
        self.processes = processes
        self.peak = 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)
        self.thread.start()

    def watch(self):
        while not self.over.wait(LOOK_EVERY):
            for process in self.processes:
                try:
                    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
                except OSError:
                    continue
                held = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
                self.peak = max([self.peak, *map(int, held)])

    def close(self):
        self.over.set()
        self.thread.join()
        return self.peak


def last_phase_ended(service):
    phase = service["phases"][-1]
    began = datetime.datetime.fromisoformat(phase["started_at"].replace("Z", "+00:00"))
    return began.timestamp() + phase["duration_s"]


def lags(truth, report, ended_at):
    """Of each service that succeeded by a rollout that was seen."""
    services = report["services"]
    for service in services:
        if service["verdict"] == "succeeded" and service["deployment_id"]:
            verdict_at = ended_at if len(services) == 1 else last_phase_ended(service)
            yield truth.lag((service["cluster"], service["name"], service["deployment_id"]), verdict_at)


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
    truth = Truth(env["AWS_ENDPOINT_URL"])
    begun = time.monotonic()
    runs = []
    for index, name in enumerate(names):
        report = folder / f"{index}.json"
        what = ["--config", args.config] if args.config else [
            "--cluster", "shop", "--service", name, "--image", f"example/{name}:2"]
        log = open(folder / f"{index}.log", "w")
        runs.append((report, subprocess.Popen(
            [program, "deploy", "--quiet", "--report", str(report), *what], env=env, stdout=log, stderr=log)))
    memory = Memory([run for _, run in runs])
    ends = {}
    def wait(report, run):
        run.wait()
        ends[report] = time.time()
    waiting = [threading.Thread(target=wait, args=run) for run in runs]
    for thread in waiting:
        thread.start()
    for thread in waiting:
        thread.join()
    took = time.monotonic() - begun
    truth.close()
    codes = collections.Counter(run.returncode for _, run in runs)
    peak = memory.close()
    simulator.kill()
    simulator.wait()
    ended = [(json.loads(report.read_text()), ends[report]) for report, _ in runs if report.exists()]
    reports = [report for report, _ in ended]
    speed = float(args.speed.rstrip("x"))
    measured = [lag for report, ended_at in ended for lag in lags(truth, report, ended_at)]
    late = sorted(round(lag * speed, 1) for lag in measured if lag is not None)
    early = measured.count(None)
    verdicts = collections.Counter(report["verdict"] for report in reports)
    totals = sorted(report["requests"]["total"] for report in reports)
    throttled = sorted(report["requests"]["throttled"] for report in reports)
    durations = sorted(report["duration_s"] for report in reports)
    def spread(values):
        return f"{values[0]} .. {values[len(values) // 2]} .. {values[-1]}" if values else "none"
    print(f"{len(runs)} runs in {took:.0f} s at {args.speed}: exit codes {dict(codes)}, verdicts {dict(verdicts)}")
    print(f"requests a run (least .. median .. most): {spread(totals)}; throttled: {spread(throttled)}")
    print(f"duration a run in s: {spread(durations)}; peak memory of a process: {peak / 1024:.1f} MB")
    scaled = "" if speed == 1 else f" (wall time multiplied by {speed:g})"
    print(f"lag of {len(late)} verdicts behind the truth in s{scaled}: {spread(late)}; said before it was true: {early}")
    print(f"reports and logs: {folder}")
    return 0 if set(codes) == {0} and not early else 1


if __name__ == "__main__":
    sys.exit(main())
