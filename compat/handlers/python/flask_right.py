# The bytes of the body are verified.
import os

from flask import Flask, request
from svix.webhooks import Webhook

app = Flask(__name__)
wh = Webhook(os.environ['ASPECT_WEBHOOK_SECRET'])


@app.post('/webhooks/aspect')
def handler():
    body = request.get_data()
    try:
        wh.verify(body, dict(request.headers))
    except Exception:
        return 'invalid signature', 400
    return '', 204
