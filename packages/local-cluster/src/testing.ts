import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { KubernetesObject, Resource } from '@bulkhead/resources'
import type { Pod } from '@bulkhead/verdict'

/** An object as if it had been read from `test.yaml`; every field is said to be on line 7. */
export function resource(object: KubernetesObject & Readonly<Record<string, unknown>>, layer?: string): Resource {
  const { name, namespace } = object.metadata
  return {
    id: [object.kind, namespace, name].filter((part) => part !== undefined).join('/'),
    kind: object.kind,
    name,
    object,
    position: () => ({ file: 'test.yaml', line: 7, column: 1 }),
    ...(namespace !== undefined && { namespace }),
    ...(layer !== undefined && { layer }),
  }
}

export const pod: Pod = {
  key: 'shop/web-api-1',
  namespace: 'shop',
  name: 'web-api-1',
  workload: 'shop/web-api',
  labels: { app: 'web-api' },
  serviceAccount: 'web-api',
  identity: 'spiffe://cluster.local/ns/shop/sa/web-api',
  mesh: true,
  hostNetwork: false,
  node: 'bulkhead-worker',
  ip: '10.244.1.2',
  ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
}

/**
 * A time that is promised of a machine with nothing else to do, in milliseconds of this one: longer by as much as starting a
 * Node process takes longer here and now than the tenth of a second that it takes there.
 */
export async function hereAndNow(ms: number): Promise<number> {
  const began = performance.now()
  await once(spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' }), 'exit')
  return ms * Math.max(1, (performance.now() - began) / 100)
}
