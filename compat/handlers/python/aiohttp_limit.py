# aiohttp_right with a higher limit.
import os

from aiohttp import web
from svix.webhooks import Webhook

wh = Webhook(os.environ['ASPECT_WEBHOOK_SECRET'])


async def handler(request):
    body = await request.read()
    try:
        wh.verify(body, dict(request.headers))
    except Exception:
        return web.Response(status=400, text='invalid signature')
    return web.Response(status=204)


app = web.Application(client_max_size=2**21)
app.router.add_post('/webhooks/aspect', handler)
web.run_app(app, host='127.0.0.1', port=int(os.environ['PORT']))
