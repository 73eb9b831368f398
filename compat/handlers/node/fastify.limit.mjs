// fastify.right with a limit above 1 MiB.
import Fastify from 'fastify'
import { Webhook } from 'svix'

const app = Fastify({bodyLimit: 1048576 + 1024})
const wh = new Webhook(process.env.ASPECT_WEBHOOK_SECRET)

app.removeContentTypeParser('application/json')
app.addContentTypeParser('application/json', {parseAs: 'buffer'}, (req, body, done) => done(null, body))

app.post('/webhooks/aspect', async (req, reply) => {
  try {
    wh.verify(req.body, req.headers)
  } catch (err) {
    return reply.code(400).send({ error: 'invalid signature' })
  }
  return reply.code(204).send()
})

await app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' })
