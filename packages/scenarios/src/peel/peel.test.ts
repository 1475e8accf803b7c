import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { attack, legitimate } from '../testing/samples.js'
import type { Scenario } from '../types.js'
import { peel } from './peel.js'
import { settingsOf } from './settings.js'
import type { Fate, Finding, Peel, Peeled } from './types.js'

const layers = ['40-mtls', '50-identity']

const named = (id: string, more: Partial<Scenario> = {}): Scenario => ({ ...attack, id, ...more })
const stopped = (...by: readonly string[]): Fate => ({ outcome: 'stopped', by, differences: [] })
const through: Fate = { outcome: 'through', differences: [] }
const untried: Fate = { outcome: 'not-tried', because: 'it needs 50-identity', differences: [] }

/** What becomes of a scenario: with all on, without 40, without 50, with 40 alone, with 50 alone. */
type Row = readonly [Scenario, Fate, Fate, Fate, Fate, Fate]

function peelRows(rows: readonly Row[], whole = true): Peel {
  const settings = settingsOf(layers).map((setting, index) => ({
    setting,
    fates: new Map(rows.map(([{ id }, ...fates]) => [id, fates[index] ?? assert.fail()])),
  }))
  const peeled: Peeled = { by: 'engine', layers, settings }
  return peel(
    peeled,
    rows.map(([scenario]) => scenario),
    whole,
  )
}

const [mtls, identity] = [stopped('40-mtls'), stopped('50-identity')]
/** One that 40 alone stops, one that 50 alone stops, and one that both do. */
const plain: Row = [named('plain'), mtls, through, mtls, mtls, through]
const thief: Row = [named('thief'), identity, identity, through, through, identity]
const both: Row = [named('both'), mtls, identity, mtls, mtls, identity]
const call: Row = [legitimate, through, through, through, through, through]

const layerOf = (found: Peel, name: string) => found.layers.find(({ layer }) => layer === name) ?? assert.fail(name)
const kinds = (findings: readonly Finding[]) => findings.map(({ kind }) => kind)

describe('the settings', () => {
  it('are all on, each one off, and each one alone', () => {
    assert.deepEqual(
      settingsOf(layers).map(({ kind, on }) => [kind, ...on]),
      [
        ['all', ...layers],
        ['without', '50-identity'],
        ['without', '40-mtls'],
        ['alone', '40-mtls'],
        ['alone', '50-identity'],
      ],
    )
    assert.deepEqual(settingsOf([]), [{ kind: 'all', on: [] }])
  })
})

describe('a layer', () => {
  const found = peelRows([plain, thief, both, call])

  it('is told by what it decides, what gets through without it, and what it stops alone', () => {
    assert.deepEqual(layerOf(found, '40-mtls'), {
      layer: '40-mtls',
      decides: ['plain', 'both'],
      without: { through: ['plain'], notTried: [], shut: [] },
      alone: { stops: ['plain', 'both'], through: ['thief'], notTried: [], unknown: [] },
      ownDoor: [],
      unmade: [],
    })
    assert.deepEqual(layerOf(found, '50-identity').without.through, ['thief'])
    assert.deepEqual(found.findings, [])
  })

  it('shares what several decide', () => {
    const shared = stopped('40-mtls', '50-identity')
    const { decides } = layerOf(
      peelRows([[named('shared'), shared, identity, mtls, mtls, identity]], false),
      '50-identity',
    )
    assert.deepEqual(decides, ['shared'])
  })

  it('holds nothing of what gets through in any case', () => {
    const open = peelRows([plain, thief, [named('open'), through, through, through, through, through]])
    assert.deepEqual(layerOf(open, '40-mtls').without.through, ['plain'])
    assert.deepEqual(open.findings, [{ kind: 'through', scenario: 'open' }])
  })

  it('that shuts a legitimate call when it goes says so', () => {
    const found = peelRows([plain, thief, [legitimate, through, mtls, untried, through, through]])
    assert.deepEqual(layerOf(found, '40-mtls').without.shut, [legitimate.id])
    assert.deepEqual(layerOf(found, '50-identity').without.shut, [legitimate.id])
  })

  it('that opens its own door holds what comes by it, where no other is a wall of it', () => {
    const [wall] = attack.expect.walls
    assert.ok(wall)
    const door: Row = [named('door', { needs: ['50-identity'] }), identity, identity, untried, untried, identity]
    const walls = [{ ...wall, layer: '40-mtls' }, wall]
    const guarded = named('guarded', { needs: ['50-identity'], expect: { ...attack.expect, walls } })
    const { ownDoor, without } = layerOf(
      peelRows([plain, door, [guarded, mtls, identity, untried, untried, identity]]),
      '50-identity',
    )
    assert.deepEqual([ownDoor, without.notTried, without.through], [['door'], ['door', 'guarded'], []])
  })
})

describe('what is found', () => {
  it('is a layer that nothing would be missed of', () => {
    const { findings } = peelRows([plain, both, call])
    assert.deepEqual(findings, [{ kind: 'holds-nothing', layer: '50-identity' }])
  })

  it('is no such layer while its own attacks cannot be made here', () => {
    const unmade: Row = [named('unmade'), untried, untried, untried, untried, untried]
    const found = peelRows([plain, both, call, unmade])
    assert.deepEqual([found.findings, layerOf(found, '50-identity').unmade], [[], ['unmade']])
    const walls = [
      ...attack.expect.walls,
      { ...attack.expect.walls[0], layer: '40-mtls', symptom: 'reset', code: 'x' } as const,
    ]
    const [scenario, ...fates] = unmade
    const shared: Row = [{ ...scenario, expect: { ...scenario.expect, walls } }, ...fates]
    assert.deepEqual(kinds(peelRows([plain, both, call, shared]).findings), ['holds-nothing'])
  })

  it('is no such layer where only a part of the suite was asked', () => {
    assert.deepEqual(peelRows([plain, both, call], false).findings, [])
  })

  it('is what is not as expected, or not known, and where', () => {
    const odd: Fate = { ...mtls, differences: ['expected through'] }
    const dark: Fate = { outcome: 'unknown', because: 'no such pod', differences: [] }
    const { findings } = peelRows([plain, thief, [named('odd'), mtls, identity, odd, mtls, dark]])
    assert.deepEqual(findings, [
      { kind: 'different', scenario: 'odd', setting: 'without 50-identity', differences: ['expected through'] },
      { kind: 'unknown', scenario: 'odd', setting: 'with 50-identity alone', because: 'no such pod' },
    ])
  })

  it('is never a legitimate call that gets through, nor what is not tried', () => {
    const nobody = stopped()
    const found = peelRows([
      plain,
      thief,
      call,
      [named('forged'), nobody, nobody, nobody, nobody, nobody],
      [named('socket'), untried, untried, untried, untried, untried],
    ])
    assert.deepEqual([kinds(found.findings), found.alwaysStopped, found.notTried], [[], ['forged'], ['socket']])
  })
})
