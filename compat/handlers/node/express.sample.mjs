// The sample of Aspect's page, with its path and its answers.
import { Webhook } from 'svix'
const { default: express } = await import(process.env.EXPRESS)

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

app.listen(process.env.PORT, '127.0.0.1')
