import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { attack, legitimate } from '../testing/samples.js'
import { peelJson } from './json.js'
import { peel } from './peel.js'
import { renderPeel } from './render.js'
import { settingsOf } from './settings.js'
import type { Fate, Peel } from './types.js'

const layers = ['40-mtls', '50-identity']
const stopped = (...by: readonly string[]): Fate => ({ outcome: 'stopped', by, differences: [] })
const through: Fate = { outcome: 'through', differences: [] }
const untried: Fate = { outcome: 'not-tried', because: 'it needs 50-identity', differences: [] }
const odd: Fate = { ...through, differences: ['expected stopped, predicted through (ok)'] }
const dark: Fate = { outcome: 'unknown', because: 'no such pod', differences: [] }
const [mtls, identity] = [stopped('40-mtls'), stopped('50-identity')]

function peelOf(fates: Readonly<Record<string, readonly Fate[]>>): Peel {
  const attacks = Object.keys(fates).filter((id) => id !== legitimate.id)
  const scenarios = [...attacks.map((id) => ({ ...attack, id })), legitimate]
  const rows = new Map(Object.entries(fates))
  const settings = settingsOf(layers).map((setting, index) => ({
    setting,
    fates: new Map(scenarios.map(({ id }) => [id, rows.get(id)?.[index] ?? through])),
  }))
  return peel({ by: 'engine', layers, settings }, scenarios, true)
}

const sound = {
  plain: [mtls, through, mtls, mtls, through],
  thief: [identity, identity, through, through, identity],
  both: [mtls, identity, mtls, mtls, identity],
  asked: [identity, identity, untried, untried, identity],
  forged: [stopped(), stopped(), stopped(), stopped(), stopped()],
}

describe('the drawing of which layer stops what', () => {
  it('is a table, a row for each of a few attacks, and what each layer is for', () => {
    assert.equal(
      renderPeel(peelOf(sound), { durationMs: 1234 }),
      `Which layer stops what: 5 attacks and 1 legitimate call, judged by the engine, 5 ways to have the layers

              all on          without it  it alone
layer        decides  through  not tried  stops  through  not tried
40-mtls            2        1          0      2        1          1
50-identity        2        1          1      3        1          0

        40  50
plain   ●   ·
thief   ·   ●
both    ○   ○
asked   -   ○
forged  ×   ×
● only it stops it  ○ so do others  · lets it by  × stopped by what no layer switches off
- nothing to try with it alone

40-mtls: 1 attack that only it stops
  get through without it, past all the others:
    plain

50-identity: 1 attack that only it stops
  get through without it, past all the others:
    thief

5 attacks: 5 stopped with all layers on, 1 of them by what no layer switches off
2 of 2 layers stop what no other does; nothing found (1.2 s)
`,
    )
  })

  it('says what it found, in red where colours are wanted', () => {
    const found = peelOf({
      plain: [mtls, through, mtls, mtls, through],
      open: [odd, odd, through, dark, through],
      [legitimate.id]: [through, through, mtls, through, through],
    })
    const text = renderPeel(found)
    assert.ok(text.includes('50-identity: no attack that only it stops\n  legitimate, and not there without it:\n'))
    assert.ok(
      text.endsWith(`
Found
  open gets through with all layers on
  50-identity holds nothing by itself: no attack gets through without it that is stopped with it
  open with all layers on is not as expected
    expected stopped, predicted through (ok)
  open without 40-mtls is not as expected
    expected stopped, predicted through (ok)
  open with 40-mtls alone is not known: no such pod

2 attacks: 1 stopped with all layers on
1 of 2 layers stop what no other does; 5 found
`),
      text,
    )
    const esc = '\u001b'
    assert.ok(renderPeel(found, { color: true }).includes(`${esc}[31mFound${esc}[39m`))
    assert.ok(!text.includes(esc))
  })

  it('has no line of more than 110 columns, and draws a row for each attack where they are few', () => {
    const fates = (count: number) =>
      Object.fromEntries(
        Array.from({ length: count }, (_, index) => [`an-attack-of-some-length-${index}`, sound.plain]),
      )
    const [few, many] = [renderPeel(peelOf(fates(40))), renderPeel(peelOf(fates(41)))]
    for (const line of [...few.split('\n'), ...many.split('\n')]) assert.ok(line.length <= 110, line)
    assert.deepEqual([few.includes('●'), many.includes('●')], [true, false])
  })

  it('has for programs what became of every scenario in every setting', () => {
    const { settings, ...rest } = peelJson(peelOf({ asked: sound.asked, open: [odd, odd, odd, dark, odd] }))
    assert.deepEqual(Object.keys(rest), [
      'by',
      'attacks',
      'legitimate',
      'layers',
      'alwaysStopped',
      'notTried',
      'findings',
    ])
    assert.deepEqual(settings[3], {
      setting: 'with 40-mtls alone',
      on: ['40-mtls'],
      scenarios: {
        asked: { outcome: 'not-tried', because: 'it needs 50-identity' },
        open: { outcome: 'unknown', because: 'no such pod' },
        [legitimate.id]: { outcome: 'through' },
      },
    })
  })
})
