"""The time of the simulator, moved by its control route instead of waited for: so no state is too short to be seen."""

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
