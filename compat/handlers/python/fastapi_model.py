# A Pydantic model as the parameter is written again.
import os
from datetime import datetime

from fastapi import FastAPI, HTTPException, Request
from pydantic import BaseModel
from svix.webhooks import Webhook, WebhookVerificationError

app = FastAPI()
wh = Webhook(os.environ['ASPECT_WEBHOOK_SECRET'])


class Feature(BaseModel):
    state: str


class Task(BaseModel):
    id: str
    asset_id: str
    features: dict[str, Feature]
    user_id: str
    created: datetime
    updated: datetime


class Data(BaseModel):
    task: Task


class Event(BaseModel):
    timestamp: datetime
    user_id: str
    event_id: str
    event_type: str
    data: Data


@app.post('/webhooks/aspect')
async def handler(event: Event, request: Request):
    try:
        wh.verify(event.model_dump_json(), dict(request.headers))
    except WebhookVerificationError:
        raise HTTPException(status_code=400, detail='Invalid signature')
    return {'ok': True}
