# The body is parsed, and written again by json.dumps.
import json
import os

from django.http import HttpResponse
from django.views.decorators.csrf import csrf_exempt
from svix.webhooks import Webhook, WebhookVerificationError

wh = Webhook(os.environ['ASPECT_WEBHOOK_SECRET'])


@csrf_exempt
def handler(request):
    event = json.loads(request.body)
    try:
        wh.verify(json.dumps(event), dict(request.headers))
    except WebhookVerificationError:
        return HttpResponse('invalid signature', status=400)
    return HttpResponse(status=204)
