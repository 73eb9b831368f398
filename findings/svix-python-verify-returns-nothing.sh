#!/bin/sh
# svix 1.99.0 and 2.9.1 (PyPI), svix 1.99.1 (npm); needs python3 with venv, and node
#
# Svix's libraries verify a message and return its payload, parsed: so do version 1 for
# Python and the one for JavaScript. Version 2 for Python returns None. A handler that goes
# on with what verify returns answers 500 to every message that is right.
#
# Seen: as below in want.
set -eu
d=$(mktemp -d)
trap 'rm -rf "$d"' EXIT
cd "$d"
cat > verify.py <<'PY'
import base64, datetime, importlib.metadata
from svix.webhooks import Webhook

wh = Webhook("whsec_" + base64.b64encode(b"a made-up secret, 24 byt").decode())
now, body = datetime.datetime.now(datetime.timezone.utc), '{"a": 1}'
headers = {
    "svix-id": "msg_1",
    "svix-timestamp": str(int(now.timestamp())),
    "svix-signature": wh.sign("msg_1", now, body),
}
print("python", importlib.metadata.version("svix"), wh.verify(body, headers))
PY
for version in 1.99.0 2.9.1; do
  python3 -m venv "$version"
  "$version/bin/pip" install -q --disable-pip-version-check "svix==$version"
  "$version/bin/python" verify.py
done > seen
npm install --silent --no-audit --no-fund svix@1.99.1
cat > verify.js <<'JS'
const { Webhook } = require('svix')

const wh = new Webhook('whsec_' + Buffer.from('a made-up secret, 24 byt').toString('base64'))
const now = new Date(), body = '{"a": 1}'
const headers = {
  'svix-id': 'msg_1',
  'svix-timestamp': String(Math.floor(now / 1000)),
  'svix-signature': wh.sign('msg_1', now, body),
}
console.log('javascript', require('svix/package.json').version, wh.verify(body, headers))
JS
node verify.js >> seen
cat seen
want="python 1.99.0 {'a': 1}
python 2.9.1 None
javascript 1.99.1 { a: 1 }"
[ "$(cat seen)" = "$want" ]
