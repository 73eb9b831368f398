// The provider's sample, mended: the raw body is verified.
import express from 'express'
import { Webhook } from 'svix'

const app = express()
const wh = new Webhook(process.env.ASPECT_WEBHOOK_SECRET)

app.post('/webhooks/aspect', express.raw({ type: 'application/json', limit: '1mb' }), (req, res) => {
  try {
    wh.verify(req.body, req.headers)
    res.status(204).end()
  } catch {
    res.status(400).send('Invalid signature')
  }
})

const server = app.listen(0, '127.0.0.1', () => console.log(`127.0.0.1:${server.address().port}`))

process.stdin.on('end', () => process.exit()).resume()
