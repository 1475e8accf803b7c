import assert from 'node:assert/strict'
import { Agent } from 'node:http'
import { test } from 'node:test'
import { cleanUp, eventually } from '@bulkhead/testing'
import { Child, send } from '../testing/index.js'
import { MAX_WAITING_CHARS, type Output, outputSink } from './sink.js'

/** An output that takes so many bytes and then is full. */
function pipe(room: number): Output & { room: number; text: string; problem: string } {
  return {
    room,
    text: '',
    problem: 'EAGAIN',
    write(bytes) {
      if (this.room === 0) throw Object.assign(new Error('full'), { code: this.problem })
      const taken = Math.min(this.room, bytes.length)
      this.room -= taken
      this.text += bytes.subarray(0, taken).toString()
      return taken
    },
  }
}

test('what a full pipe does not take is written once it does, each line once', async (t) => {
  const output = pipe(10)
  const sink = outputSink(output, () => {})
  for (let line = 0; line < 100; line++) sink.write(`line ${line}\n`)
  await eventually('the lines', () => output.text.length === 10)
  output.room = Number.POSITIVE_INFINITY
  await eventually('the lines', () => output.text.endsWith('line 99\n'))
  assert.equal(output.text, Array.from({ length: 100 }, (_, line) => `line ${line}\n`).join(''))
  t.diagnostic('nothing is left to flush')
  sink.flush()
  assert.equal(output.text.split('\n').length, 101)
})

test('a reader that stalls costs lines, not memory, and is told how many once it reads again', async () => {
  const output = pipe(0)
  const lost: number[] = []
  const sink = outputSink(output, (lines) => lost.push(lines))
  const line = `${'x'.repeat(1023)}\n`
  const fit = MAX_WAITING_CHARS / line.length
  for (let written = 0; written < fit + 500; written++) sink.write(line)
  output.room = Number.POSITIVE_INFINITY
  await eventually('the lines', () => lost.length > 0)
  assert.ok(output.text.length <= MAX_WAITING_CHARS + 40_000, `${output.text.length} characters were kept`)
  assert.equal(output.text.length / line.length + (lost[0] ?? 0), fit + 500, 'each is written or counted')
})

test('a flush does not wait for ever, nor twice', () => {
  const sink = outputSink(pipe(0), () => {})
  sink.write('x\n')
  const from = performance.now()
  sink.flush()
  sink.flush()
  const took = performance.now() - from
  assert.ok(took > 300 && took < 15_000, `${took} ms`)
})

test('a reader that has gone ends the writing, and nothing else', () => {
  const output = pipe(0)
  output.problem = 'EPIPE'
  const sink = outputSink(output, () => {})
  sink.write('x\n')
  sink.flush()
  output.room = 100
  sink.write('y\n')
  sink.flush()
  assert.equal(output.text, '')
})

test('SIGTERM ends a service whose log nobody reads', async (t) => {
  const child = new Child(t, new URL('../testing/demo-service.js', import.meta.url).pathname, { SHUTDOWN_DELAY: '0s' })
  const port = await child.port()
  child.process.stdout?.pause()
  const agent = new Agent({ keepAlive: true })
  cleanUp(t, () => agent.destroy())
  const long = 'x'.repeat(8_000)
  for (let request = 0; request < 100; request++)
    assert.equal((await send(agent, port, `/${long}`)).status, 404, 'and it answers while nobody does')
  agent.destroy()
  const exited = new Promise((resolve) => child.process.once('exit', resolve))
  child.process.kill('SIGTERM')
  assert.equal(await exited, 0)
  child.process.stdout?.resume()
})
