// Validates the HTTP Archive on stdin against the schema of HAR 1.2, and prints
// what was posted: one JSON object a line.
import validator from 'har-validator/lib/async.js'
import { readFileSync } from 'node:fs'

const archive = JSON.parse(readFileSync(0, 'utf8'))
validator.har(archive, (errors, valid) => {
  if (!valid) {
    console.error(JSON.stringify(errors, null, 2))
    process.exit(1)
  }
  for (const { request } of archive.log.entries) {
    const headers = Object.fromEntries(request.headers.map(({ name, value }) => [name, value]))
    console.log(JSON.stringify({ url: request.url, text: request.postData.text, headers }))
  }
})
