// The sample, mended: the route reads the raw body, before any parser, and verifies that.
import { Webhook } from 'svix'
const { default: express } = await import(process.env.EXPRESS)

const app = express()

app.post('/webhooks/aspect', express.raw({type: 'application/json'}), (req, res) => {
  const svixId = req.header('svix-id')
  const svixTimestamp = req.header('svix-timestamp')
  const svixSignature = req.header('svix-signature')

  if (!svixId || !svixTimestamp || !svixSignature) return res.status(400).send('Missing Svix headers')

  const secret = process.env.ASPECT_WEBHOOK_SECRET || ''
  const wh = new Webhook(secret.replace(/^whsec_/, ''))

  try {
    const payload = wh.verify(req.body, {
      'svix-id': svixId,
      'svix-timestamp': svixTimestamp,
      'svix-signature': svixSignature
    })
    res.status(204).end()
  } catch (err) {
    res.status(400).send('Invalid signature')
  }
})

app.use(express.json())
app.get('/', (req, res) => res.json({ ok: true }))

app.listen(process.env.PORT, '127.0.0.1')
