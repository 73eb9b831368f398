// express.json() for the whole application stands above the raw route.
import { Webhook } from 'svix'
const { default: express } = await import(process.env.EXPRESS)

const app = express()
const wh = new Webhook(process.env.ASPECT_WEBHOOK_SECRET)

app.use(express.json())

app.post('/webhooks/aspect', express.raw({type: 'application/json'}), (req, res) => {
  try {
    wh.verify(req.body, req.headers)
  } catch (err) {
    return res.status(400).send('Invalid signature')
  }
  res.status(204).end()
})

app.listen(process.env.PORT, '127.0.0.1')
