# request.json() is written again by json.dumps.
import json
import os

from fastapi import FastAPI, HTTPException, Request
from svix.webhooks import Webhook, WebhookVerificationError

app = FastAPI()
wh = Webhook(os.environ['ASPECT_WEBHOOK_SECRET'])


@app.post('/webhooks/aspect')
async def handler(request: Request):
    payload = await request.json()
    try:
        wh.verify(json.dumps(payload), dict(request.headers))
    except WebhookVerificationError:
        raise HTTPException(status_code=400, detail='Invalid signature')
    return {'ok': True}
