// The bytes of the body are verified.
import { Webhook } from 'svix'

export async function POST(req) {
  const wh = new Webhook(process.env.ASPECT_WEBHOOK_SECRET)
  const body = Buffer.from(await req.arrayBuffer())
  try {
    wh.verify(body, Object.fromEntries(req.headers))
  } catch (err) {
    return new Response('Invalid signature', { status: 400 })
  }
  return new Response(null, { status: 204 })
}
