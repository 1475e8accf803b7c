import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Grants, makePod, track } from './grants.js'
import { makeWorld } from './testing.js'

test('a revoked grant is forgotten, with all that was opened by it', () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const grants = new Grants()
  const pod = makePod({ key: 'shop/sleep-1', name: 'sleep-1', ip: '10.244.1.2' })
  let destroyed = 0
  const use = (count: number): number => {
    for (let i = 0; i < count; i++) {
      const { grant, secret } = grants.add(pod, `run-${i}`)
      // What a connection holds on to.
      const held = Buffer.alloc(512, i).toString('latin1')
      const destroy = () => {
        if (held.length > 0) destroyed += 1
      }
      track(grant, { destroy, once: () => undefined })
      assert.equal(grants.find(secret), grant)
      grants.revoke((other) => other === grant)
      assert.equal(grants.find(secret), undefined)
    }
    collect()
    return process.memoryUsage().heapUsed
  }
  const before = use(500)
  const after = use(2_000)
  assert.equal(destroyed, 2_500)
  // Kept, each would cost more than a kilobyte.
  assert.ok(after - before < 1_000_000, `${after - before} bytes for 2000 grants`)
})

test('what a process begins belongs to the run that its grant is marked as then', async (t) => {
  const world = await makeWorld(t)
  const grant = world.capture.grant('shop/client', { run: 'first' })
  const code = `
    import { connect } from 'node:net'
    import { createInterface } from 'node:readline'
    for await (const host of createInterface({ input: process.stdin })) {
      await new Promise((resolve) => connect(80, host).on('error', resolve))
      console.log('asked ' + host)
    }`
  const { child, says } = world.start('shop/client', code, { grant })
  child.stdin?.write('a.test\n')
  await says('asked a.test')
  grant.mark('second')
  child.stdin?.write('b.test\n')
  await says('asked b.test')
  child.stdin?.end()
  assert.deepEqual(
    world.asked.map(({ host, run }) => [host, run]),
    [
      ['a.test', 'first'],
      ['b.test', 'second'],
    ],
  )
})
