# The CSRF check stands before the view.
import json
import os

from django.http import HttpResponse
from svix.webhooks import Webhook, WebhookVerificationError

wh = Webhook(os.environ['ASPECT_WEBHOOK_SECRET'])


def handler(request):
    try:
        wh.verify(request.body, dict(request.headers))
    except WebhookVerificationError:
        return HttpResponse('invalid signature', status=400)
    event = json.loads(request.body)
    return HttpResponse(status=204)
