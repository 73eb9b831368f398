# The view is free of the CSRF check, and the bytes of the body are verified.
import json
import os

from django.http import HttpResponse
from django.views.decorators.csrf import csrf_exempt
from svix.webhooks import Webhook

wh = Webhook(os.environ['ASPECT_WEBHOOK_SECRET'])


@csrf_exempt
def handler(request):
    try:
        wh.verify(request.body, dict(request.headers))
    except Exception:
        return HttpResponse('invalid signature', status=400)
    event = json.loads(request.body)
    return HttpResponse(status=204)
