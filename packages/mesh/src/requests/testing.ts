import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parseManifests, type Resource } from '@bulkhead/resources'
import { eventually } from '@bulkhead/testing'
import { compile, type FlowRecord, judgeAt, nextHop, type Snapshot, servedAt } from '@bulkhead/verdict'
import type { MeshParts } from '../mesh.js'
import { type Rig, startRig } from '../testing/harness.js'
import type { MeshOptions } from '../types.js'

/* Connections judged by the real engine, from manifests as a cluster has them. */

function parsed(text: string, file: string): readonly Resource[] {
  const { resources, diagnostics } = parseManifests(text, file)
  const errors = diagnostics.filter(({ severity }) => severity === 'error')
  if (errors.length > 0) throw new Error(`${file}: ${JSON.stringify(errors)}`)
  return resources
}

const file = fileURLToPath(new URL('../../fixtures/requests/workloads.yaml', import.meta.url))
const workloads = parsed(readFileSync(file, 'utf8'), 'workloads.yaml')
const open = compile(workloads)

/** The workloads with these policies; each a CiliumNetworkPolicy's spec, as JSON. */
export function withPolicies(...specs: readonly { readonly namespace?: string; readonly spec: object }[]): Snapshot {
  const documents = specs.map(({ namespace = 'test', spec }, index) =>
    JSON.stringify({
      apiVersion: 'cilium.io/v2',
      kind: 'CiliumNetworkPolicy',
      metadata: { name: `policy-${index}`, namespace },
      spec,
    }),
  )
  return compile([...workloads, ...parsed(documents.join('\n---\n'), 'policies.yaml')], { previous: open })
}

/** `test/echo` -> the key of its pod. */
export function podOf(workload: string): string {
  for (const { key, workload: own } of open.pods.values()) if (own === workload) return key
  throw new Error(`no pod of ${workload}`)
}

export const start = (
  t: TestContext,
  snapshot: Snapshot,
  parts: Partial<MeshParts> = {},
  options: Partial<MeshOptions> = {},
): Promise<Rig> => startRig(t, { ...options, snapshot }, { judgeAt, nextHop, servedAt, ...parts })

/** A connection of a workload's pod, whose errors are of no matter. */
export async function dial({ capture }: Rig, from: string, run?: string, host = 'echo.test'): Promise<Socket> {
  const socket = await capture.connect(podOf(from), host, 8080, run)
  return socket.on('error', () => {})
}

/** What comes back for these bytes, up to the end, or to a reset, which is told. */
export async function exchange(socket: Socket, bytes: string | Buffer): Promise<string> {
  let read = ''
  socket.on('data', (chunk: Buffer) => {
    read += chunk.toString('latin1')
  })
  const over = new Promise<string>((resolve) => {
    socket.once('end', () => resolve(read)).once('error', () => resolve(`${read}[reset]`))
  })
  socket.write(bytes, 'latin1')
  const all = await over
  socket.destroy()
  return all
}

/** A request, the connection's last. */
export const asks = (method: string, path: string, more = ''): string =>
  `${method} ${path} HTTP/1.1\r\nhost: echo\r\nconnection: close\r\n${more}\r\n`

/** Status and body of each answer of known length. */
export function answersIn(text: string): readonly string[] {
  const found: string[] = []
  for (let rest = text; rest !== ''; ) {
    const end = rest.indexOf('\r\n\r\n')
    const head = rest.slice(0, end)
    const [, status] = /^HTTP\/1.1 (\d{3})/.exec(head) ?? []
    if (status === undefined) return [...found, rest]
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
    found.push(`${status} ${rest.slice(end + 4, end + 4 + length).trim()}`.trim())
    rest = rest.slice(end + 4 + length)
  }
  return found
}

/** The records of a run, once there are so many. */
export const recordsOf = ({ mesh }: Rig, run: string, count: number): Promise<readonly FlowRecord[]> =>
  eventually(`${count} records of ${run}`, () => {
    const records = mesh.flows({ run })
    return records.length >= count ? records : undefined
  })

/** The deciding step of a record, and how the record puts it. */
export const summary = ({ outcome, symptom, flag, steps, decidedBy, http }: FlowRecord): string => {
  const step = decidedBy === undefined ? undefined : steps[decidedBy]
  return [outcome, symptom, flag, step && `${step.point} ${step.code}`, http?.status].filter(Boolean).join(', ')
}
