// The handler is the provider's sample as printed; what is around it tells the
// benchmark the address, and ends with stdin.
import express from 'express'
import { Webhook } from 'svix'

const app = express()
app.use(express.json({ type: '*/*' }))

app.post('/webhooks/aspect', (req, res) => {
  const svixId = req.header('svix-id')
  const svixTimestamp = req.header('svix-timestamp')
  const svixSignature = req.header('svix-signature')

  if (!svixId || !svixTimestamp || !svixSignature) return res.status(400).send('Missing Svix headers')

  const secret = process.env.ASPECT_WEBHOOK_SECRET || ''
  const wh = new Webhook(secret.replace(/^whsec_/, ''))

  try {
    const payload = wh.verify(JSON.stringify(req.body), {
      'svix-id': svixId,
      'svix-timestamp': svixTimestamp,
      'svix-signature': svixSignature
    })
    // payload matches the envelope schema above
    res.status(204).end()
  } catch (err) {
    res.status(400).send('Invalid signature')
  }
})

const server = app.listen(0, '127.0.0.1', () => console.log(`127.0.0.1:${server.address().port}`))

process.stdin.on('end', () => process.exit()).resume()
