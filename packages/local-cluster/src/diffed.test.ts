import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { cleanUp, temporaryFolder } from '@bulkhead/testing'
import { LocalCluster } from './cluster.js'
import { realEngine } from './real-engine.js'

test('a layer that is switched is told as switched, also when what that opened and closed cannot be worked out', async (t) => {
  const root = temporaryFolder(t)
  mkdirSync(join(root, 'layers/40-mtls'), { recursive: true })
  writeFileSync(
    join(root, 'layers/40-mtls/mesh.yaml'),
    `
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: mesh, namespace: istio-system }
spec: { mtls: { mode: STRICT } }
`,
  )
  let problem: string | undefined = 'out of memory'
  const cluster = await LocalCluster.start({
    manifests: [root],
    stateDir: join(root, '.bulkhead'),
    engine: {
      ...realEngine,
      diff(...sides) {
        if (problem !== undefined) throw new Error(problem)
        return realEngine.diff(...sides)
      },
    },
  })
  cleanUp(t, () => cluster.stop())
  const off = await cluster.setLayers({ off: ['40-mtls'] })
  assert.deepEqual([off.undiffed, 'diff' in off], ['out of memory', false])
  assert.deepEqual(await cluster.layers(), [{ name: '40-mtls', on: false, objects: 1 }])
  problem = undefined
  const on = await cluster.setLayers({ on: ['40-mtls'] })
  assert.deepEqual([on.diff?.objects.added, 'undiffed' in on], [['PeerAuthentication/istio-system/mesh'], false])
})
