import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '@bulkhead/testing'
import { findLayer, LayerSwitches, layersOf } from './overlay.js'
import { resource } from './testing.js'

const object = (name: string, layer?: string) =>
  resource({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'shop' } }, layer)
const resources = [object('a', '50-identity'), object('b', '40-mtls'), object('c', '50-identity'), object('d')]

test('layers come from the objects, in order, with their number', () => {
  assert.deepEqual(layersOf(resources, new Set(['40-mtls'])), [
    { name: '40-mtls', on: false, objects: 1 },
    { name: '50-identity', on: true, objects: 2 },
  ])
})

test('a layer is found by its name or the part that tells it, else the known ones are named', () => {
  const layers = layersOf(resources, new Set())
  for (const name of ['50-identity', '50', 'identity']) assert.equal(findLayer(name, layers), '50-identity')
  assert.throws(() => findLayer('5', layers), {
    code: 'unknown-layer',
    message: /no layer "5"; there are 40-mtls, 50-identity/,
  })
})

test('what is off stays off from one start to the next, and a damaged file is no silent default', (t) => {
  const stateDir = temporaryFolder(t)
  const switches = new LayerSwitches(stateDir)
  assert.deepEqual([...switches.off], [])
  switches.set(new Set(['50-identity']))
  assert.deepEqual([...new LayerSwitches(stateDir).off], ['50-identity'])
  writeFileSync(join(stateDir, 'overlay', 'layers.json'), '{"off":')
  assert.throws(() => new LayerSwitches(stateDir), { code: 'state-dir', message: /start with --fresh/ })
})
