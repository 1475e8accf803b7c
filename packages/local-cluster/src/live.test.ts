import assert from 'node:assert/strict'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { eventually } from '@bulkhead/testing'
import type { ManifestsEvent } from './cluster-types.js'
import { ask, get, policy, start, statusOf, web } from './testing/live.js'

test('a save is in force and told; a broken one changes nothing, says where, and the next good one heals it', async (t) => {
  const { cluster, root, save, told, events } = await start(t, {
    'web.yaml': web('one'),
    'p.yaml': policy('p', 'ALLOW', 'client'),
  })
  assert.equal(await statusOf(cluster), 200)
  const closing = await told('changed', () => save('p.yaml', policy('p', 'ALLOW', 'nobody')))
  assert.deepEqual([closing.files, closing.rolling], [['p.yaml'], []])
  // Of the account that is not there it is warned once.
  assert.equal(closing.warnings.length, 1)
  assert.ok(
    closing.diff?.closed.some(({ from, to }) => from === 'shop/client' && to.startsWith('shop/web')),
    JSON.stringify(closing.diff?.closed),
  )
  assert.deepEqual(closing.diff?.objects.changed, ['AuthorizationPolicy/shop/p'])
  assert.equal(closing.generation, cluster.status().generation)
  assert.equal(await statusOf(cluster), 'reset')

  const { generation } = cluster.status()
  const broken: readonly [string | Buffer, RegExp][] = [
    [Buffer.from([0xff, 0xfe, 0xc3, 0x28]), /^p\.yaml:1:1: /],
    ['kind: [', /^p\.yaml:1:/],
    [policy('p', 'ALLOW', 'client').replace('rules', 'rulez'), /^p\.yaml:8:3: .*rulez/],
    [
      `${policy('p', 'ALLOW', 'client')}---${policy('p', 'ALLOW', 'nobody')}`,
      /p\.yaml:\d+:.*AuthorizationPolicy\/shop\/p/,
    ],
    [
      `${web('x').replaceAll('web', 'web2').replace('chain-service', 'nginx')}`,
      /p\.yaml:\d+: Deployment\/shop\/web2: the image .* is not known here/,
    ],
    [web('x').replaceAll('web', 'web3').replace('replicas: 1', 'replicas: 1.5'), /p\.yaml:\d+:/],
  ]
  for (const [text, message] of broken) {
    const refused = await told('refused', () => save('p.yaml', text))
    assert.deepEqual(refused.files, ['p.yaml'])
    assert.match(refused.message, message)
    assert.equal(cluster.status().refused, refused.message)
  }
  assert.equal(cluster.status().generation, generation)
  assert.equal(await statusOf(cluster), 'reset')

  // Back to what is in force: nothing changes, and that it is whole again is told all the same.
  const healed = await told('changed', () => save('p.yaml', policy('p', 'ALLOW', 'nobody')))
  assert.deepEqual([healed.diff?.opened, healed.diff?.closed], [[], []])
  assert.equal(cluster.status().refused, undefined)
  const opened = await told('changed', () => rmSync(join(root, 'p.yaml')))
  assert.deepEqual(opened.diff?.objects.removed, ['AuthorizationPolicy/shop/p'])
  assert.equal(await statusOf(cluster), 200)

  const before = events.length
  save('web.yaml', `# another comment\n${web('one')}`)
  await eventually('it is read', () => cluster.status().generation === opened.generation + 1)
  assert.equal(events.length, before)
})

test('layers that are off stay off, one that is new is on, and a change stays on top of what is saved', async (t) => {
  const deny = policy('p', 'DENY', 'client')
  const { cluster, root, save, told } = await start(t, { 'web.yaml': web('one'), 'layers/50-identity/p.yaml': deny })
  const { diff } = await cluster.setLayers({ off: ['50'] })
  assert.ok(diff !== undefined && diff.opened.length > 0)
  await told('changed', () => save('layers/50-identity/q.yaml', policy('q', 'DENY', 'client')))
  assert.equal(await statusOf(cluster), 200)
  const made = await told('changed', () => {
    mkdirSync(join(root, 'layers/60-requests'))
    save('layers/60-requests/r.yaml', policy('r', 'DENY', 'client'))
  })
  assert.deepEqual(made.files, ['layers/60-requests/r.yaml'])
  assert.deepEqual(
    cluster.status().layers.map(({ name, on, objects }) => [name, on, objects]),
    [
      ['50-identity', false, 2],
      ['60-requests', true, 1],
    ],
  )
  assert.equal(await statusOf(cluster), 'reset')
  await cluster.apply('without', { without: ['AuthorizationPolicy/shop/r'] })
  await told('changed', () =>
    save('layers/60-requests/r.yaml', policy('r', 'DENY', 'client').replace('name: r', 'name: r, labels: { a: b }')),
  )
  assert.equal(await statusOf(cluster), 200)
})

test('a save closes the open connections that it denies', async (t) => {
  const { cluster, save, told } = await start(t, { 'web.yaml': web('one'), 'p.yaml': policy('p', 'ALLOW', 'client') })
  let closing: Extract<ManifestsEvent, { kind: 'changed' }> | undefined
  const { observation, flows } = await cluster.attempt(
    'shop/client',
    { ...get, hold: true, timeoutMs: 10_000 },
    {
      held: async () => {
        closing = await told('changed', () => save('p.yaml', policy('p', 'ALLOW', 'nobody')))
      },
    },
  )
  assert.equal(closing?.closedConnections, 1)
  assert.deepEqual([observation.phase, observation.symptom, flows[0]?.flag], ['held', 'reset', 'POLICY_CHANGE'])
})

test('of policies that are saved together no mixture is ever in force', async (t) => {
  // Either set denies the client, each by another file; half of one and half of the other would let it through.
  const none = policy('deny', 'DENY', 'nobody')
  const sets = [
    { 'allow.yaml': policy('allow', 'ALLOW', 'nobody'), 'deny.yaml': none },
    { 'allow.yaml': policy('allow', 'ALLOW', 'client'), 'deny.yaml': policy('deny', 'DENY', 'client') },
  ] as const
  const { cluster, save, told, events } = await start(t, { 'web.yaml': web('one'), ...sets[0] })
  const asking = ask(t, cluster)
  await asking.heard('ECONNRESET')
  for (let n = 1; n <= 50; n++) {
    await told('changed', () => {
      // The opening half first.
      const files = Object.entries(sets[n % 2 === 0 ? 0 : 1])
      for (const [name, text] of n % 2 === 0 ? files.reverse() : files) save(name, text)
    })
  }
  const codes = new Set(cluster.flows().flatMap(({ steps, decidedBy = -1 }) => steps[decidedBy]?.code ?? []))
  assert.deepEqual([...codes].sort(), ['authz.no-rule-allows', 'authz.rule-denies'])
  assert.equal(events.length, 50)
  // The mixture would have been seen.
  await told('changed', () => {
    save('allow.yaml', sets[1]['allow.yaml'])
    save('deny.yaml', none)
  })
  await asking.heard('200 one')
  const { ECONNRESET: denied = 0, ...others } = await asking.counts()
  assert.ok(denied > 100, String(denied))
  assert.deepEqual(Object.keys(others), ['200 one'])
})
