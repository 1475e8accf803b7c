import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createInterrupt, signalExitCode } from './interrupt.js'

function interruptAt() {
  let time = 1000
  const left: number[] = []
  const interrupt = createInterrupt(
    (code) => left.push(code),
    () => time,
  )
  return {
    interrupt,
    left,
    after(ms: number) {
      time += ms
    },
  }
}

test('the first signal aborts and tells which one it was', () => {
  const { interrupt, left } = interruptAt()
  interrupt.receive('SIGINT')
  assert.equal(interrupt.signal.aborted, true)
  assert.equal(interrupt.signal.reason, 'SIGINT')
  assert.deepEqual(left, [])
})

test("npm's copy of the same Ctrl-C does not end the process", () => {
  const { interrupt, left, after } = interruptAt()
  interrupt.receive('SIGINT')
  after(20)
  interrupt.receive('SIGINT')
  assert.deepEqual(left, [])
})

test('a second Ctrl-C ends it at once', () => {
  const { interrupt, left, after } = interruptAt()
  interrupt.receive('SIGINT')
  after(20)
  interrupt.receive('SIGINT')
  after(400)
  interrupt.receive('SIGINT')
  assert.deepEqual(left, [130])
})

test('output that nobody reads aborts once, and a key press after it is still the first', () => {
  const { interrupt, left, after } = interruptAt()
  interrupt.outputGone()
  assert.equal(interrupt.signal.reason, 'SIGPIPE')
  after(400)
  interrupt.outputGone()
  interrupt.receive('SIGINT')
  assert.deepEqual(left, [])
  after(400)
  interrupt.receive('SIGINT')
  assert.deepEqual(left, [130])
})

test('exit codes are those of a shell', () => {
  assert.deepEqual(['SIGHUP', 'SIGINT', 'SIGPIPE', 'SIGTERM'].map(signalExitCode), [129, 130, 141, 143])
})
