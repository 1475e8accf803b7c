import type { Resource } from '@bulkhead/resources'
import { compile, type Flow, judge, type Snapshot } from '@bulkhead/verdict'
import type { Description } from '../description/types.js'
import type { Question } from './asked.js'
import { k8s } from './k8s.js'

/* Every question that can be asked of k8s with something new in it, and what was said before. */

export const runs = process.env.BULKHEAD_LONG === '1' ? 500 : 12
export const before = compile(k8s)

/** How it is asked: as each caller would have it, and as nobody would. */
export const requests = [
  { method: 'GET', path: '/' },
  { method: 'DELETE', path: '/api/v1/users' },
  { method: 'POST', path: '/v1/manifests' },
] as const

export const workloads = ({ pods }: Snapshot): readonly string[] => [
  ...new Set([...pods.values()].map(({ workload }) => workload)),
]

export const isProxy = (snapshot: Snapshot, name: string): boolean => snapshot.waypoints.has(name)

/** Every Service's ports, and the pods' own; waypoints are gone by, and not called. */
export function destinations(snapshot: Snapshot): readonly Pick<Question, 'to' | 'port'>[] {
  const services = [...snapshot.services.values()].filter(({ key }) => !isProxy(snapshot, key))
  const found = new Map<string, Pick<Question, 'to' | 'port'>>()
  for (const { key, ports } of services)
    for (const { port, protocol } of ports)
      if (protocol === 'TCP') found.set(`${key} ${port}`, { to: { service: key }, port })
  for (const { workload, ports } of snapshot.pods.values())
    if (!isProxy(snapshot, workload))
      for (const { port } of ports) found.set(`pods of ${workload} ${port}`, { to: { workload }, port })
  return [...found.values()]
}

export const flowOf = (
  { from, to, port, method, path }: Question,
  source: Flow['from'] = { workload: from },
): Flow => ({
  from: source,
  to,
  port,
  http: { method, path, host: 'host.example' },
})

const outcomes = new Map<string, string>()
/** What was said before there was the new workload; asked once. */
export function was(flow: Flow): string {
  const key = JSON.stringify(flow)
  const known = outcomes.get(key) ?? judge(flow, before).outcome
  outcomes.set(key, known)
  return known
}

export const self = ({ namespace, name }: Description): string => `${namespace}/${name}`

export const after = (resources: readonly Resource[]): Snapshot => compile([...k8s, ...resources], { previous: before })
