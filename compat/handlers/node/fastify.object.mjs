// Fastify parses JSON by itself, and the object is verified.
import Fastify from 'fastify'
import { Webhook } from 'svix'

const app = Fastify()
const wh = new Webhook(process.env.ASPECT_WEBHOOK_SECRET)

app.post('/webhooks/aspect', async (request, reply) => {
  try {
    wh.verify(request.body, request.headers)
  } catch (err) {
    return reply.code(400).send({ error: 'invalid signature' })
  }
  return reply.code(204).send()
})

await app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' })
