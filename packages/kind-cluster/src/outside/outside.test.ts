import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspected, noOutside, outsideRoot, outsideUp, recordingTools } from '../testing/index.js'
import { readInspected } from './container.js'
import { findOutside, outsideState } from './outside.js'

const only = (stdout: string) => recordingTools([['docker container inspect bulkhead-outside', { stdout }]])

test('who is there of ours is found with its address and the root of its certificates', async () => {
  const tools = recordingTools(outsideUp)
  assert.deepEqual(await findOutside(tools), { address: '172.18.0.5', root: outsideRoot })
  assert.equal(await outsideState(tools), 'up')
})

test('none, one that is stopped or without an address, and one of somebody else are not it', async () => {
  for (const [state, tools] of [
    ['down', recordingTools([noOutside])],
    ['down', only(inspected({ running: false }))],
    ['down', only(inspected({ address: '' }))],
    ['foreign', only(inspected({ label: '' }))],
    ['foreign', only(inspected({ label: 'another' }))],
  ] as const) {
    assert.equal(await outsideState(tools), state)
    assert.equal(await findOutside(tools), undefined)
  }
})

test('one that has not said what it has is not taken', async () => {
  for (const stdout of ['', 'listening\n', '{}\n', '{"root":7}\n', '{"root":"no certificate"}\n']) {
    const tools = recordingTools([['docker logs', { stdout }], ...outsideUp])
    assert.equal(await findOutside(tools), undefined, stdout)
  }
})

test('a container and an image are told apart, and an answer that is none has neither', () => {
  const { container, image } = readInspected({ stdout: inspected({ image: 'sha256:2', wanted: 'sha256:1' }) })
  assert.deepEqual([container?.image, image], ['sha256:2', 'sha256:1'])
  for (const stdout of ['', 'null', '{}', '[]', '[null, 7]', '[{"Name":"/another","State":{}}]'])
    assert.deepEqual(readInspected({ stdout }), {}, stdout)
})
