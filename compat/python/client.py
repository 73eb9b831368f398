"""Prints the event_id of each event that httpx-sse reads from a URL, over one connection."""
import json, sys
import httpx
from httpx_sse import connect_sse

try:
    with httpx.Client(timeout=None) as client, connect_sse(client, "GET", sys.argv[1]) as source:
        for event in source.iter_sse():
            try:
                body = json.loads(event.data)
            except ValueError:
                continue
            if "event_id" in body:
                print(body["event_id"], flush=True)
except Exception as error:
    print(type(error).__name__, file=sys.stderr)
