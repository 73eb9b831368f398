# request.json is written again by json.dumps, in minimal JSON.
import json
import os

from flask import Flask, request
from svix.webhooks import Webhook, WebhookVerificationError

app = Flask(__name__)
wh = Webhook(os.environ['ASPECT_WEBHOOK_SECRET'])


@app.post('/webhooks/aspect')
def handler():
    try:
        wh.verify(json.dumps(request.json, separators=(',', ':')), dict(request.headers))
    except WebhookVerificationError:
        return 'invalid signature', 400
    return '', 204
