"""The time of the simulator, moved by its control route instead of waited for: so no state is too short to be seen."""

import contextlib
import json
import urllib.request

# More than any rollout of the walk takes, at a second or more a step.
STEPS_MAX = 2000


def advance(client, seconds):
    """Lets the time pass at the endpoint that the client calls."""
    body = json.dumps({"by": f"{seconds}s"}).encode()
    request = urllib.request.Request(f"{client.meta.endpoint_url}/_portzero/advance", data=body,
                                     headers={"content-type": "application/json"})
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request).read()


@contextlib.contextmanager
def waiting(client, operation, seconds):
    """While a waiter of boto3 is at work: before each of its calls so much time passes, and it waits for none itself."""
    def pass_time(**_):
        advance(client, seconds)
    event = f"before-call.ecs.{operation}"
    client.meta.events.register(event, pass_time)
    try:
        yield {"Delay": 0, "MaxAttempts": STEPS_MAX}
    finally:
        client.meta.events.unregister(event, pass_time)
