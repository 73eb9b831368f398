// Only forms are parsed, and what is left of JSON is written again.
import { Webhook } from 'svix'
const { default: express } = await import(process.env.EXPRESS)

const app = express()
const wh = new Webhook(process.env.ASPECT_WEBHOOK_SECRET)

app.use(express.urlencoded({ extended: true }))

app.post('/webhooks/aspect', (req, res) => {
  try {
    wh.verify(JSON.stringify(req.body), req.headers)
  } catch (err) {
    return res.status(400).send('Invalid signature')
  }
  res.status(204).end()
})

app.listen(process.env.PORT, '127.0.0.1')
