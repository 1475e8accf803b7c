import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { cleanUp } from '@bulkhead/testing'
import express from 'express'
import { type EventStream, eventStream } from './sse.js'

/** A stream, and the answer of the one who asked for it. */
async function open(t: TestContext): Promise<{ stream: EventStream; response: IncomingMessage }> {
  let stream: EventStream | undefined
  const app = express().get('/', (_request, response) => {
    stream = eventStream(response)
  })
  const server = createServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanUp(t, () => {
    server.close()
    server.closeAllConnections()
  })
  const asked = request({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' }).end()
  asked.on('error', () => undefined)
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  response.on('error', () => undefined)
  assert.ok(stream !== undefined)
  return { stream, response }
}

const megabyte = 'x'.repeat(1024 * 1024)

test('a reader that never reads is let go before it has cost much memory', async (t) => {
  const { stream, response } = await open(t)
  response.pause()
  const gone = once(stream.signal, 'abort')
  let sent = 0
  for (; sent < 100 && !stream.signal.aborted; sent++) {
    stream.send('log', megabyte)
    await new Promise((resolve) => setImmediate(resolve))
  }
  // What the kernel's buffers took, and 8 MB of ours.
  assert.ok(sent < 30, `${sent} MB`)
  await gone
})

test('one event may be longer than what a reader may be behind, when it does read', async (t) => {
  const { stream, response } = await open(t)
  const text = megabyte.repeat(10)
  let read = ''
  response.setEncoding('utf8').on('data', (chunk) => {
    read += chunk
  })
  stream.send('log', text)
  stream.end()
  await once(response, 'end')
  assert.equal(read, `:\n\nevent: log\ndata: "${text}"\n\n`)
})
