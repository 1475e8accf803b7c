import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '@bulkhead/testing'
import fc from 'fast-check'
import { FakeApi, podObject } from './testing/fake-api.js'
import { connectCluster } from './view.js'

const name = fc.constantFrom('a', 'b', 'c', 'd')
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('set' as const), name, label: fc.constantFrom('x', 'y', 'z') }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('remove' as const), name }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom('drop' as const, 'end' as const, 'bookmark' as const, 'gone' as const),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('pause' as const), ms: fc.integer({ min: 1, max: 12 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('write' as const),
      text: fc.constantFrom(
        '<html>\n',
        '{"type":"ADDED"}\n',
        '{"type":"ERROR","object":{"code":500}}\n',
        '\n',
        '{"type":"ERROR","object":{"code":410}}\n',
        '7\n',
      ),
    }),
  },
)

test('whatever happens to pods and to connections meanwhile: in the end the view is what the API server has', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const api = await FakeApi.start(t)
      const cluster = connectCluster({
        access: api.access,
        patience: { retryMs: 1, retryMaxMs: 8, silenceMs: 500, listTimeoutMs: 1_000 },
      })
      const there = new Map<string, string>()
      try {
        for (const each of steps) {
          if (each.do === 'set') {
            there.set(each.name, each.label)
            api.set('pods', podObject(each.name, { labels: { app: each.label } }))
          } else if (each.do === 'remove') {
            if (there.delete(each.name)) api.remove('pods', each.name, 'shop')
          } else if (each.do === 'write') api.write('pods', each.text)
          else if (each.do === 'drop') api.drop()
          else if (each.do === 'end') api.end()
          else if (each.do === 'bookmark') api.bookmark('pods')
          else if (each.do === 'gone') api.oldest = Number(api.version)
          else if (each.do === 'pause') await new Promise((resolve) => setTimeout(resolve, each.ms))
        }
        const expected = [...there].sort().join(' ')
        const seen = (): string =>
          [...cluster.pods()]
            .map((pod) => [pod.name, pod.labels.app])
            .sort()
            .join(' ')
        await eventually(`the view is ${expected}`, () => cluster.synced && seen() === expected).catch(() =>
          assert.equal(seen(), expected),
        )
      } finally {
        await cluster.close()
        await api.stop()
      }
    }),
    { numRuns: 100 },
  )
})
