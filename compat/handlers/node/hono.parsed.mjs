// c.req.json() is written again.
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { Webhook } from 'svix'

const app = new Hono()
const wh = new Webhook(process.env.ASPECT_WEBHOOK_SECRET)

app.post('/webhooks/aspect', async (c) => {
  const event = await c.req.json()
  try {
    wh.verify(JSON.stringify(event), c.req.header())
  } catch (err) {
    return c.json({ error: 'invalid signature' }, 400)
  }
  return c.body(null, 204)
})

serve({ fetch: app.fetch, port: Number(process.env.PORT), hostname: '127.0.0.1' })
