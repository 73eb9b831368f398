// req.json() is written again.
import { Webhook } from 'svix'

export async function POST(req) {
  const wh = new Webhook(process.env.ASPECT_WEBHOOK_SECRET)
  const event = await req.json()
  try {
    wh.verify(JSON.stringify(event), Object.fromEntries(req.headers))
  } catch (err) {
    return new Response('Invalid signature', { status: 400 })
  }
  return new Response(null, { status: 204 })
}
