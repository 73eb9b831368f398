#!/bin/sh
# uvicorn 0.54.0, fastapi 0.165.0; needs python3 with venv
#
# A server that will close a connection says so: "Connection: close" (RFC 9112, 9.6).
# After an exception that nothing handles, uvicorn answers 500 without it and closes. Who
# keeps connections, as webhook senders do, may send the next message into it.
#
# Seen: as below in want.
set -eu
d=$(mktemp -d)
trap 'rm -rf "$d"' EXIT
cd "$d"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check uvicorn==0.54.0 fastapi==0.165.0
cat > kept.py <<'PY'
import asyncio, logging, socket
import uvicorn
from fastapi import FastAPI, Response

app = FastAPI()

@app.post("/{status}")
async def answer(status: int):
    if status == 500:
        raise RuntimeError("not handled")
    return Response(status_code=status)

async def post(port, status):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"POST /{status} HTTP/1.1\r\nHost: here\r\nContent-Length: 2\r\n\r\n{{}}".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    length = [int(line.split(":")[1]) for line in head.split("\r\n") if line.startswith("content-length:")]
    await reader.readexactly(length[0] if length else 0)
    try:
        closed = await asyncio.wait_for(reader.read(1), 2) == b""
    except asyncio.TimeoutError:
        closed = False
    writer.close()
    print(status, "says close" if "connection: close" in head else "says nothing", "and closes" if closed else "and stays")

async def main():
    logging.disable()
    s = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None))
    task = asyncio.create_task(server.serve(sockets=[s]))
    while not server.started:
        await asyncio.sleep(0.01)
    for status in (204, 400, 500):
        await post(s.getsockname()[1], status)
    server.should_exit = True
    await task

asyncio.run(main())
PY
want='204 says nothing and stays
400 says nothing and stays
500 says nothing and closes'
seen=$(env/bin/python kept.py 2>/dev/null)
echo "$seen"
[ "$seen" = "$want" ]
