# Aspect's sample for FastAPI: it verifies the raw body.
import os

from fastapi import FastAPI, HTTPException, Request
from svix.webhooks import Webhook

app = FastAPI()


@app.post('/webhooks/aspect')
async def handler(request: Request):
    svix_id = request.headers.get('svix-id')
    svix_timestamp = request.headers.get('svix-timestamp')
    svix_signature = request.headers.get('svix-signature')
    if not (svix_id and svix_timestamp and svix_signature):
        raise HTTPException(status_code=400, detail='Missing Svix headers')

    secret = (os.getenv('ASPECT_WEBHOOK_SECRET') or '').removeprefix('whsec_')
    body = await request.body()
    try:
        Webhook(secret).verify(body, {
            'svix-id': svix_id,
            'svix-timestamp': svix_timestamp,
            'svix-signature': svix_signature,
        })
        return {'ok': True}
    except Exception:
        raise HTTPException(status_code=400, detail='Invalid signature')
