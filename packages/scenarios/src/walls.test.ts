import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Wall } from './types.js'
import { expected } from './walls.js'

const wall = (layer: string, when?: Wall['when']): Wall => ({
  layer,
  symptom: 'reset',
  code: 'authz.no-rule-allows',
  ...(when === undefined ? {} : { when }),
})

describe('what must happen', () => {
  const cases: readonly (readonly [
    name: string,
    walls: readonly Wall[],
    on: readonly string[],
    by: string | undefined,
  ])[] = [
    ['no wall: it gets through', [], ['40', '50'], undefined],
    ['no wall is on: it gets through', [wall('40'), wall('50')], ['20'], undefined],
    ['the first that is on decides', [wall('40'), wall('50')], ['50', '40'], '40'],
    ['the next, when the first is off', [wall('40'), wall('50')], ['50'], '50'],
    ['a wall that is always on', [wall('40'), wall('mesh')], [], 'mesh'],
    ['one that needs another which is off', [wall('40', { on: ['20'] }), wall('50')], ['40', '50'], '50'],
    ['one that needs another which is on', [wall('40', { on: ['20'] }), wall('50')], ['20', '40', '50'], '40'],
    ['one that needs another to be off', [wall('40', { off: ['20'] }), wall('50')], ['20', '40', '50'], '50'],
    ['always on, but not while another is on', [wall('mesh', { off: ['20'] })], ['20'], undefined],
  ]
  for (const [name, walls, on, by] of cases) {
    it(name, () => {
      const result = expected({ expect: { walls, through: {} } }, new Set(on))
      assert.equal(result.outcome === 'stopped' ? result.wall.layer : undefined, by)
    })
  }
})
