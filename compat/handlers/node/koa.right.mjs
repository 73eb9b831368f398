// koa-bodyparser keeps the text of the body, and that is verified.
import Koa from 'koa'
import bodyParser from 'koa-bodyparser'
import { Webhook } from 'svix'

const app = new Koa()
const wh = new Webhook(process.env.ASPECT_WEBHOOK_SECRET)

app.use(bodyParser())
app.use(async (ctx) => {
  if (ctx.method !== 'POST' || ctx.path !== '/webhooks/aspect') return
  try {
    wh.verify(ctx.request.rawBody, ctx.headers)
  } catch (err) {
    ctx.status = 400
    ctx.body = 'Invalid signature'
    return
  }
  ctx.status = 204
})

app.listen(process.env.PORT, '127.0.0.1')
