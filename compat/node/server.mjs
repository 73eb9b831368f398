// Event-stream servers of five stacks, one port each: Node's http on PORT, then express,
// @fastify/sse and hono on the next ones. START is when live rows begin, in Unix milliseconds.
import http from 'node:http'
import zlib from 'node:zlib'
import express from 'express'
import { createSession } from 'better-sse'
import Fastify from 'fastify'
import fastifySSE from '@fastify/sse'
import { Hono } from 'hono'
import { streamSSE } from 'hono/streaming'
import { serve } from '@hono/node-server'

const port = Number(process.env.PORT)
const start = Number(process.env.START)
const sleep = (ms) => new Promise((done) => setTimeout(done, Math.max(0, ms)))
const body = (row, n) => JSON.stringify({
  timestamp: new Date(1e12 + n * 1000).toISOString(), user_id: 'u', event_id: `${row}-${n}`, event_type: 'task.progress',
  data: { task: { id: `task-${row}`, asset_id: 'a', user_id: 'u', features: { visual: { state: 'queued' } }, updated: new Date(1e12 + n * 1000).toISOString() } },
})
const text = (row, n, id = true) => `${id ? `id: ${n}\nevent: task\n` : ''}data: ${body(row, n)}\n\n`
const from = (req) => Number(req.headers['last-event-id'] ?? -1) + 1
const streamHead = { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' }

http.createServer(async (req, res) => {
  if (req.url === '/gzip') {
    res.writeHead(200, { ...streamHead, 'Content-Encoding': 'gzip' })
    const gz = zlib.createGzip()
    gz.pipe(res)
    for (let n = from(req); n < 20; n++, await sleep(40)) { gz.write(text('gzip', n)); gz.flush() }
    return
  }
  res.writeHead(200, streamHead)
  res.flushHeaders()
  for (let n = from(req); n < 50; n++, await sleep(40)) res.write(text('node', n))
}).listen(port, '127.0.0.1')

// live writes event n at start + at(n), to whoever is connected then.
async function live(res, row, count, at) {
  let open = true
  const connected = Date.now()
  res.on('close', () => { open = false })
  for (let n = 0; n < count && open; n++) {
    if (start + at(n) < connected) continue
    await sleep(start + at(n) - Date.now())
    if (open) res.write(text(row, n, false))
  }
}
const app = express()
app.get('/flush', async (req, res) => {
  res.writeHead(200, streamHead)
  res.flushHeaders()
  for (let n = from(req); n < 50; n++, await sleep(40)) res.write(text('express', n))
})
app.get('/better', async (req, res) => {
  const session = await createSession(req, res)
  for (let n = from(req); n < 50; n++, await sleep(40)) session.push(JSON.parse(body('better', n)), 'task', String(n))
})
app.get('/pings', async (req, res) => {
  res.writeHead(200, streamHead)
  for (let n = from(req); n < 10; n++, await sleep(40)) {
    res.write('event: ping\ndata: {"time":"1"}\n\nevent: ping\ndata: {"time":"2"}\n\n' + text('pings', n))
  }
})
app.get('/naive', (req, res) => { res.writeHead(200, streamHead); live(res, 'naive', 15, (n) => 150000 + n * 5000) })
app.get('/live', (req, res) => {
  res.writeHead(200, streamHead)
  res.flushHeaders()
  live(res, 'live', 72, (n) => (n < 36 ? 91000 : 191000 - 36 * 250) + n * 250)
})
app.get('/slow10', (req, res) => {
  res.writeHead(200, streamHead)
  live(res, 'slow10', 20, (n) => n * 10000)
})
app.listen(port + 1, '127.0.0.1')

const fastify = Fastify()
await fastify.register(fastifySSE)
fastify.get('/', { sse: 'only' }, async (request, reply) => {
  reply.sse.keepAlive?.()
  for (let n = from(request); n < 50; n++, await sleep(40)) await reply.sse.send({ id: String(n), event: 'task', data: JSON.parse(body('fastify', n)) })
})
await fastify.listen({ port: port + 2, host: '127.0.0.1' })

const hono = new Hono()
hono.get('/', (c) => streamSSE(c, async (stream) => {
  for (let n = Number(c.req.header('last-event-id') ?? -1) + 1; n < 50; n++, await sleep(40)) {
    await stream.writeSSE({ id: String(n), event: 'task', data: JSON.stringify(JSON.parse(body('hono', n)), null, 1) }) // many lines
  }
  await new Promise((done) => stream.onAbort(done))
}))
serve({ fetch: hono.fetch, port: port + 3, hostname: '127.0.0.1' })
