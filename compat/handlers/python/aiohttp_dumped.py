# request.json() is written again by json.dumps.
import json
import os

from aiohttp import web
from svix.webhooks import Webhook, WebhookVerificationError

wh = Webhook(os.environ['ASPECT_WEBHOOK_SECRET'])


async def handler(request):
    event = await request.json()
    try:
        wh.verify(json.dumps(event), dict(request.headers))
    except WebhookVerificationError:
        return web.Response(status=400, text='invalid signature')
    return web.Response(status=204)


app = web.Application()
app.router.add_post('/webhooks/aspect', handler)
web.run_app(app, host='127.0.0.1', port=int(os.environ['PORT']))
