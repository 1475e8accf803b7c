import type { Resource } from '@bulkhead/resources'
import type { NetworkOptions, Snapshot } from '../api.js'
import { judge } from '../flow/judge.js'
import { compile } from '../model/compile.js'
import { judgeAt } from '../points/judge-at.js'
import type {
  CniEvidence,
  CniVerdict,
  Flow,
  FlowDestination,
  FlowSource,
  Payload,
  Pod,
  Protocol,
  Step,
} from '../types.js'
import { namespace, workload } from './objects.js'

/*
 * Test code: the topologies of the golden vectors of the network layers, outside the mesh so that nothing else decides.
 */

const numbers = [80, 81]
const transports: readonly Protocol[] = ['TCP', 'UDP', 'SCTP']
const named = numbers.flatMap((containerPort) =>
  transports.map((protocol) => ({ name: `serve-${containerPort}-${protocol.toLowerCase()}`, containerPort, protocol })),
)

/** Namespaces x, y and z (label `ns`), each with pods a, b and c (label `pod`) that serve 80 and 81. */
export const xyz: readonly Resource[] = ['x', 'y', 'z'].flatMap((ns) => [
  namespace(ns, { ns }),
  ...['a', 'b', 'c'].map((pod) => workload(`${ns}/${pod}`, { labels: { pod }, ports: named })),
])

const http = [{ name: 'http-8080', containerPort: 8080 }]

/** Namespace test: client, client2 (`other: client`) and echo on 8080; namespace far: client and echo. */
export const echoes: readonly Resource[] = [
  namespace('test'),
  namespace('far', { team: 'far' }),
  workload('test/client', { labels: { name: 'client', kind: 'client' } }),
  workload('test/client2', { labels: { name: 'client2', kind: 'client', other: 'client' } }),
  workload('test/echo', { labels: { name: 'echo', kind: 'echo' }, ports: http }),
  workload('far/client', { labels: { name: 'client', kind: 'client' } }),
  workload('far/echo', { labels: { name: 'echo', kind: 'echo' }, ports: http }),
]

/** `outcome symptom code`, with the symptom only of what is not let through. */
export interface Asked {
  readonly says: string
  /** The step that decided, or the last one. */
  readonly step: Step | undefined
}

/** A connection from one workload (or address) to another. */
export function connect(
  objects: readonly Resource[],
  from: string,
  to: string,
  port: number,
  rest: Partial<Flow> & { readonly network?: NetworkOptions } = {},
): Asked {
  const { network, ...more } = rest
  const snapshot = compile(objects, network && { network })
  const source: FlowSource = from.includes('/') ? { workload: from } : { external: from }
  const destination: FlowDestination = to.includes('/') ? { workload: to } : { ip: to }
  return asked(snapshot, { from: source, to: destination, port, ...more })
}

export function asked(snapshot: Snapshot, flow: Flow): Asked {
  const of = judge(flow, snapshot)
  const unknown = of.steps.find(({ outcome }) => outcome === 'unknown')
  const step =
    of.decidedBy === undefined
      ? (unknown ?? of.steps.findLast(({ code }) => code !== 'not-in-mesh'))
      : of.steps[of.decidedBy.step]
  const says = of.outcome === 'allow' ? 'allow' : `${of.outcome} ${of.symptom} ${step?.point} ${step?.code}`
  return { says, step }
}

/** The pods by their workload, and the cluster's DNS. */
export function podOf(snapshot: Snapshot, workloadKey: string): Pod {
  if (workloadKey === 'dns') return snapshot.platform.dns
  const pod = [...snapshot.pods.values()].find((one) => one.workload === workloadKey)
  if (pod === undefined) throw new RangeError(`no pod of ${workloadKey}`)
  return pod
}

export interface PacketOptions {
  readonly protocol?: Protocol
  readonly learned?: readonly string[]
  readonly payload?: Payload
  readonly network?: NetworkOptions
}

/** One packet at one point: `egress` of `from`, or `ingress` of `to`. Either may be an address. */
export function packet(
  objects: readonly Resource[],
  direction: 'egress' | 'ingress',
  from: string,
  to: string,
  port: number,
  { protocol = 'TCP', learned, payload, network }: PacketOptions = {},
): CniVerdict {
  const snapshot = compile(objects, network && { network })
  const end = (text: string): CniEvidence['peer'] =>
    text.includes('/') || text === 'dns' ? podOf(snapshot, text) : { ip: text }
  const [src, dst] = [end(from), end(to)]
  const [pod, peer] = direction === 'egress' ? [src, dst] : [dst, src]
  if (!('key' in pod)) throw new RangeError('an address has no policies')
  const tuple = { src: src.ip, dst: dst.ip, port, protocol }
  const evidence = { pod, peer, tuple, ...(learned && { learned }), ...(payload && { payload }) }
  return judgeAt(`cni-${direction}`, evidence, snapshot)
}

/** `allow cni.rule-allows`, and what is read. */
export function said({ outcome, steps, reads }: CniVerdict): string {
  return [outcome, steps[0]?.code, ...(reads === undefined ? [] : [`reads ${reads}`])].join(' ')
}
