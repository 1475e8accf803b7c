import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { Attempt, Evidence } from '@bulkhead/scenarios'
import { earlyMs, slackMs } from '../evidence/index.js'
import { Apart, type Recorded } from './apart.js'
import { liveOf } from './live/index.js'
import { bench, everything, files, seen, type Table } from './testing/bench.js'

const call = (from: string, to: string, more: Partial<Recorded> = {}): Recorded => ({
  ...{ from: { ips: [from] }, to: { ips: to === '' ? [] : [to] }, held: false },
  ...more,
})

/** Work that says when it begins, and ends when it is told to. */
function works(apart: Apart): {
  readonly begun: string[]
  start(name: string, one: Recorded, signal?: AbortSignal): Promise<void>
  end(name: string, error?: Error): void
} {
  const begun: string[] = []
  const ends = new Map<string, (error?: Error) => void>()
  return {
    begun,
    start: (name, one, signal) =>
      apart.run(
        one,
        () => {
          begun.push(name)
          return new Promise((resolve, reject) => ends.set(name, (error) => (error ? reject(error) : resolve())))
        },
        signal,
      ),
    end: (name, error) => ends.get(name)?.(error),
  }
}

describe('attempts whose records nothing tells apart', () => {
  it('are made one after the other, also when one fails; others at the same time', async () => {
    const { begun, start, end } = works(new Apart(0))
    const one = start('one', call('a', 'b'))
    const two = start('two', call('a', 'b'))
    const three = start('three', call('a', ''))
    const others = [start('other caller', call('c', 'b')), start('other destination', call('a', 'd'))]
    await turn()
    assert.deepEqual(
      begun,
      ['one', 'other caller'],
      'to nowhere in particular is to anywhere, and so is what is behind it',
    )
    end('one', new Error('lost'))
    await assert.rejects(one, /lost/)
    await turn()
    assert.deepEqual(begun.slice(2), ['two'])
    end('two')
    await two
    await turn()
    assert.deepEqual(begun.slice(3), ['three'])
    end('three')
    await three
    await turn()
    assert.deepEqual(begun.slice(4), ['other destination'])
    end('other caller')
    end('other destination')
    await Promise.all(others)
  })

  it('wait for no held one, and not for one at another port', async () => {
    const { begun, start, end } = works(new Apart(0))
    const at = (port: number): Partial<Recorded> => ({ to: { ips: ['d'], ports: [port] } })
    const all = [start('held', call('c', 'd', { held: true })), start('free', call('c', 'd', at(80)))]
    all.push(start('other port', call('c', 'd', at(81))), start('same port', call('c', 'd', at(80))))
    await turn()
    assert.deepEqual(begun, ['held', 'free', 'other port'])
    end('free')
    await all[1]
    await turn()
    assert.equal(begun.at(-1), 'same port')
    for (const name of begun) end(name)
    await Promise.all(all)
  })

  it('are called off while they wait', async () => {
    const { begun, start, end } = works(new Apart(60_000))
    const stop = new AbortController()
    const one = start('one', call('a', 'b'))
    const two = start('two', call('a', 'b'), stop.signal)
    end('one')
    await one
    await turn()
    stop.abort(new Error('called off'))
    await assert.rejects(two, (error) => error === stop.signal.reason || /abort/i.test(String(error)))
    assert.deepEqual(begun, ['one'])
  })
})

const { snapshot } = liveOf(everything, files)
const ipOf = (workload: string): string =>
  [...snapshot.pods.values()].find((pod) => pod.workload === workload)?.ip ?? assert.fail(workload)
const get: Attempt = { kind: 'http', to: { service: 'shop/web-api' }, port: 8080, http: { method: 'GET', path: '/' } }
const ztunnel = {
  ...{ metadata: { namespace: 'istio-system', name: 'ztunnel-a' }, spec: {} },
  status: { phase: 'Running', podIPs: [] },
}

/** A cluster that refuses the first call and serves the next, whose ztunnel keeps all that it has written, by a clock that is so much ahead. */
function refusesOnce(ahead = 0): Table {
  const lines: string[] = []
  const refusal = (): string =>
    `${new Date(Date.now() + ahead).toISOString()}\terror\taccess\tconnection complete\tsrc.addr=${ipOf('shop/sleep')}:42020 dst.addr=${ipOf('shop/web-api')}:15008 dst.hbone_addr=${ipOf('shop/web-api')}:8080 direction="inbound" bytes_sent=0 bytes_recv=0 duration="0ms" error="connection closed due to policy rejection: allow policies exist, but none allowed"`
  return [
    ['kubectl get pods -n istio-system -l app=ztunnel', { stdout: JSON.stringify({ items: [ztunnel] }) }],
    [
      /^kubectl exec -i -n/,
      (_, nth) => {
        if (nth > 0) return { stdout: seen() }
        lines.push(refusal())
        return { stdout: seen({ symptom: 'reset', phase: 'answer' }) }
      },
    ],
    ['kubectl logs -n istio-system ztunnel-a', () => ({ stdout: lines.map((line) => `${line}\n`).join('') })],
    [/^docker exec \S+ date /, () => ({ stdout: `${((Date.now() + ahead) / 1000).toFixed(9)}\n` })],
  ]
}

const told = ({ observation, sightings = [] }: Evidence): readonly unknown[] => [
  observation.symptom,
  ...sightings.map(({ outcome, code }) => `${outcome} ${code}`),
]

describe('two equal attempts at once, of which one is stopped and one let through', () => {
  const stopped = ['reset', 'deny authz.no-rule-allows']
  const both = async (...[t, options]: [Parameters<typeof bench>[0], Parameters<typeof bench>[2]]) => {
    const { target } = bench(t, refusesOnce(), options)
    return (await Promise.all([1, 2].map(() => target.attempt('shop/sleep', get)))).map(told)
  }

  it('each have their own records', async (t) =>
    assert.deepEqual(await both(t, { apartMs: slackMs + earlyMs }), [stopped, ['ok']]))

  it("would have each other's, were they not kept apart", async (t) => {
    assert.deepEqual(await both(t, { apartMs: 0 }), [stopped, ['ok', ...stopped.slice(1)]])
  })
})

describe('the clock of the nodes', () => {
  for (const [what, ahead] of [
    ['ahead', 60_000],
    ['behind', -60_000],
  ] as const)
    it(`a minute ${what}: what they write down is found by it, and that is told once`, async (t) => {
      const { target, notes, tools } = bench(t, refusesOnce(ahead))
      const first = await target.attempt('shop/sleep', get)
      assert.deepEqual(told(first), ['reset', 'deny authz.no-rule-allows'])
      await target.attempt('shop/sleep', get)
      assert.equal(tools.lines().filter((line) => / date /.test(line)).length, 1)
      assert.equal(notes.length, 1)
      assert.match(notes[0] ?? '', new RegExp(`^the nodes' clock is (59|60|61)\\.\\d s ${what}`))
    })

  it('that cannot be read is told, and taken for this machine s', async (t) => {
    const faults = [{ stdout: 'now\n' }, { code: 1, stderr: 'no such container' }, { fails: 'missing' }] as const
    for (const fault of faults) {
      const { target, notes } = bench(t, [[/ date /, fault], ...refusesOnce()])
      assert.deepEqual(told(await target.attempt('shop/sleep', get)), ['reset', 'deny authz.no-rule-allows'])
      assert.match(notes.join(), /^the clock of the nodes could not be read, and is taken for this machine's: /)
    }
  })
})
