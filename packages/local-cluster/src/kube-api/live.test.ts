import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asPod, reader, readPodsAndNodes } from '../testing/kube.js'
import { start, web } from '../testing/live.js'

test("a pod's program lists pods and nodes by the unmodified client, with its account's token and role", async (t) => {
  const { cluster } = await start(t, { 'reader.yaml': reader(readPodsAndNodes), 'web.yaml': web('one') })
  const program = asPod(
    t,
    cluster,
    'shop/reader',
    `
    const pods = await core.listPodForAllNamespaces()
    say(pods.items.map(({ metadata, status, spec }) => [metadata.namespace, metadata.labels.app, status.phase, status.podIP, spec.nodeName, status.conditions.find(({ type }) => type === 'Ready').status]))
    const nodes = await core.listNode()
    say(nodes.items.map(({ metadata, status }) => [metadata.name, status.conditions.find(({ type }) => type === 'Ready').status]))
    await core.listNamespacedSecret({ namespace: 'shop' }).catch(failed)
    await core.createNamespacedPod({ namespace: 'shop', body: { metadata: { name: 'x' }, spec: { containers: [] } } }).catch(failed)
  `,
  )
  const [pods, nodes, secrets, create] = await program.over()
  assert.equal((pods as unknown as unknown[]).length, 3)
  assert.equal((nodes as unknown as unknown[]).length, 3)
  assert.equal(secrets?.code, 403)
  assert.equal(create?.code, 403)
})
