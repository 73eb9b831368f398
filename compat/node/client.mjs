// Prints the event_id of each event that eventsource reads from a URL.
import { EventSource } from 'eventsource'
const source = new EventSource(process.argv[2])
const take = (e) => {
  try {
    const id = JSON.parse(e.data).event_id
    if (id) console.log(id)
  } catch {}
}
source.addEventListener('message', take)
source.addEventListener('task', take)
