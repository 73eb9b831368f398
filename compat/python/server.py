"""Event-stream servers of four stacks, chosen by the first argument, on the port that is the second."""
import asyncio, json, sys, time
from datetime import datetime, timezone

COUNT = 50


def body(row, n):
    at = datetime.fromtimestamp(1e9 + n, timezone.utc).isoformat()
    task = {"id": "task-" + row, "asset_id": "a", "user_id": "u", "features": {"visual": {"state": "queued"}}, "updated": at}
    return json.dumps({"timestamp": at, "user_id": "u", "event_id": f"{row}-{n}", "event_type": "task.progress", "data": {"task": task}})


def first(header):
    return int(header if header else -1) + 1


def fastapi():
    from fastapi import FastAPI, Request
    from fastapi.sse import EventSourceResponse, ServerSentEvent
    app = FastAPI()

    @app.get("/", response_class=EventSourceResponse)
    async def stream(request: Request):
        for n in range(first(request.headers.get("last-event-id")), COUNT):
            yield ServerSentEvent(raw_data=body("fastapi", n), event="task", id=str(n))
            await asyncio.sleep(0.04)
        await asyncio.sleep(3600)

    return app


def starlette():
    from fastapi import FastAPI, Request
    from sse_starlette.sse import EventSourceResponse
    app = FastAPI()

    @app.get("/")
    async def stream(request: Request):
        async def events():
            for n in range(first(request.headers.get("last-event-id")), COUNT):
                yield {"id": str(n), "event": "task", "data": body("starlette", n)}
                await asyncio.sleep(0.04)
            await asyncio.sleep(3600)
        return EventSourceResponse(events(), ping=1)

    return app


def django():
    from django.conf import settings
    settings.configure(DEBUG=False, ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="x")
    import django as module
    module.setup()
    from django.core.asgi import get_asgi_application
    from django.http import StreamingHttpResponse
    from django.urls import path

    async def events(start):
        for n in range(start, COUNT):
            yield f"id: {n}\nevent: task\ndata: {body('django', n)}\n\n"
            await asyncio.sleep(0.04)
        await asyncio.sleep(3600)

    async def stream(request):
        return StreamingHttpResponse(events(first(request.headers.get("last-event-id"))), content_type="text/event-stream")

    global urlpatterns
    urlpatterns = [path("", stream)]
    return get_asgi_application()


def flask():
    from flask import Flask, Response, request
    app = Flask(__name__)

    @app.get("/")
    def stream():
        start = first(request.headers.get("last-event-id"))

        def events():
            for n in range(start, COUNT):
                yield f"id: {n}\nevent: task\ndata: {body('flask', n)}\n\n"
                time.sleep(0.04)
            while True:
                time.sleep(15)
                yield ": alive\n\n"
        return Response(events(), mimetype="text/event-stream")

    return app


if __name__ == "__main__":
    name, port = sys.argv[1], int(sys.argv[2])
    if name == "flask":
        import waitress
        waitress.serve(flask(), host="127.0.0.1", port=port, threads=8, send_bytes=1)
    else:
        import uvicorn
        uvicorn.run(globals()[name](), host="127.0.0.1", port=port, log_level="error")
