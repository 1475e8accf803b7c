import { readFileSync } from 'node:fs'
import type { IncomingHttpHeaders } from 'node:http'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parseManifests, type Resource } from '@bulkhead/resources'
import { type CompileOptions, compile, judgeAt, nextHop, type Snapshot, servedAt } from '@bulkhead/verdict'
import { Client } from 'undici'
import type { MeshParts } from '../mesh.js'
import { type Rig, startRig } from '../testing/harness.js'

export interface Answered {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** Requests of a pod's app, each on a connection of its own. Rejects as the client does. */
export const caller =
  ({ capture }: Rig, host = 'web-api', port = 80) =>
  async (from: string, method: string, path: string, run = 'run'): Promise<Answered> => {
    const socket = await capture.connect(from, host, port, run)
    const client = new Client(`http://${host}`, {
      // Not at once: the client counts on an answer that comes later.
      connect: (_options, callback) => queueMicrotask(() => callback(null, socket)),
    })
    try {
      const { statusCode, headers, body } = await client.request({ method: method as 'GET', path, headers: { host } })
      return { status: statusCode, headers, body: await body.text() }
    } finally {
      await client.destroy()
    }
  }

function parsed(text: string, file: string): readonly Resource[] {
  const { resources, diagnostics } = parseManifests(text, file)
  const errors = diagnostics.filter(({ severity }) => severity === 'error')
  if (errors.length > 0) throw new Error(`${file}: ${JSON.stringify(errors)}`)
  return resources
}

const file = fileURLToPath(new URL('../../fixtures/waypoint/workloads.yaml', import.meta.url))
const workloads = readFileSync(file, 'utf8')
const open = compile(parsed(workloads, 'workloads.yaml'))

/** The workloads with these objects, as YAML. `change`: of the workloads' own text. */
export function withObjects(
  objects = '',
  { change = (text) => text, ...options }: CompileOptions & { readonly change?: (text: string) => string } = {},
): Snapshot {
  const text = change(workloads)
  const more = objects === '' ? [] : parsed(objects, 'policies.yaml')
  return compile([...parsed(text, 'workloads.yaml'), ...more], { previous: open, ...options })
}

/** An AuthorizationPolicy of namespace shop; the spec as JSON is YAML. */
export const policy = (name: string, spec: object): string =>
  `---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: { name: ${name}, namespace: shop }\nspec: ${JSON.stringify(spec)}\n`

export const networkPolicy = (name: string, spec: object): string =>
  `---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: ${name}, namespace: shop }\nspec: ${JSON.stringify(spec)}\n`

/** `shop/web-api` -> the key of its pod. */
export function podOf(workload: string, snapshot: Snapshot = open): string {
  for (const { key, workload: own } of snapshot.pods.values()) if (own === workload) return key
  throw new Error(`no pod of ${workload}`)
}

/** A mesh of these objects, with the real engine. */
export const startReal = (t: TestContext, snapshot: Snapshot, parts: Partial<MeshParts> = {}): Promise<Rig> =>
  startRig(t, { snapshot }, { judgeAt, nextHop, servedAt, ...parts })
