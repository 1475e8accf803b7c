import { kubectlArgs, type Place } from '../place.js'
import type { Command, Tools } from '../tools.js'
import { listOf, recordOf, textOf } from './fields.js'

/** How a cluster is asked. */
export interface Context {
  readonly tools: Tools
  readonly place: Pick<Place, 'kubeconfig'>
}

/** A pod that can be asked what it saw. */
export interface WitnessPod {
  readonly namespace: string
  readonly name: string
  readonly node: string | undefined
  readonly ips: readonly string[]
  /** Of a gateway's or waypoint's pod. */
  readonly gateway?: { readonly name: string; readonly isWaypoint: boolean }
}

export interface Witnesses {
  readonly ztunnels: readonly WitnessPod[]
  readonly agents: readonly WitnessPod[]
  readonly proxies: readonly WitnessPod[]
}

const gatewayName = 'gateway.networking.k8s.io/gateway-name'
/** Whose log is Envoy's; what else may be in a pod says what it likes. */
const proxyContainer = 'istio-proxy'

/** How long a list of pods is good for: they change when something is rolled, and that is told by a log that is not there. */
const freshMs = 15_000
const listMs = 20_000

const known = new WeakMap<Tools, { readonly at: number; readonly witnesses: Promise<Witnesses> }>()

/**
 * The pods that keep records on this cluster, looked up at most every so often.
 * @throws Error when they cannot be listed
 */
export async function witnessesOf(context: Context, signal?: AbortSignal): Promise<Witnesses> {
  const last = known.get(context.tools)
  if (last !== undefined && performance.now() - last.at < freshMs) return last.witnesses
  const witnesses = lookUp(context, signal)
  known.set(context.tools, { at: performance.now(), witnesses })
  // One that failed is nobody else's.
  witnesses.catch(() => forgetWitnesses(context))
  return witnesses
}

export function forgetWitnesses({ tools }: Context): void {
  known.delete(tools)
}

async function lookUp(context: Context, signal: AbortSignal | undefined): Promise<Witnesses> {
  const [ztunnels, agents, proxies] = await Promise.all([
    pods(context, ['-n', 'istio-system', '-l', 'app=ztunnel'], signal),
    pods(context, ['-n', 'kube-system', '-l', 'k8s-app=cilium'], signal),
    pods(context, ['-A', '-l', gatewayName], signal),
  ])
  return { ztunnels, agents, proxies: proxies.filter(({ gateway }) => gateway !== undefined) }
}

async function pods(
  context: Context,
  which: readonly string[],
  signal: AbortSignal | undefined,
): Promise<readonly WitnessPod[]> {
  const command = kubectl(context, ['get', 'pods', ...which, '-o', 'json'], listMs)
  const { code, stdout, stderr } = await context.tools.run(command, signal === undefined ? {} : { signal })
  if (code !== 0) throw new Error(`kubectl get pods ${which.join(' ')} failed: ${stderr.trim().slice(0, 300)}`)
  return listOf(recordOf(parsed(stdout, which))?.items).flatMap((item) => podOf(item) ?? [])
}

function parsed(text: string, which: readonly string[]): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Error(`kubectl get pods ${which.join(' ')} answered with what is no JSON`)
  }
}

function podOf(item: unknown): WitnessPod | undefined {
  const pod = recordOf(item)
  const meta = recordOf(pod?.metadata)
  const status = recordOf(pod?.status)
  const [namespace, name] = [textOf(meta?.namespace), textOf(meta?.name)]
  if (namespace === undefined || name === undefined || status?.phase !== 'Running') return undefined
  const gateway = gatewayOf(pod)
  return {
    namespace,
    name,
    node: textOf(recordOf(pod?.spec)?.nodeName),
    ips: listOf(status?.podIPs).flatMap((one) => textOf(recordOf(one)?.ip) ?? []),
    ...(gateway !== undefined && { gateway }),
  }
}

/**
 * Whose proxy a pod is, where it is one that istiod has made: anybody's pod may have the label, and what it prints would be evidence.
 * istiod names the Deployment and the service account after the Gateway, with -istio behind unless it is a waypoint.
 */
function gatewayOf(pod: Readonly<Record<string, unknown>> | undefined): WitnessPod['gateway'] {
  const meta = recordOf(pod?.metadata)
  const spec = recordOf(pod?.spec)
  const labels = recordOf(meta?.labels)
  const [name, hash] = [textOf(labels?.[gatewayName]), textOf(labels?.['pod-template-hash'])]
  const account = textOf(spec?.serviceAccountName)
  const hasProxy = listOf(spec?.containers).some((one) => recordOf(one)?.name === proxyContainer)
  if (name === undefined || hash === undefined || !hasProxy) return undefined
  const isWaypoint = account === name
  if (!isWaypoint && account !== `${name}-istio`) return undefined
  const owner = listOf(meta?.ownerReferences)
    .map(recordOf)
    .find((one) => one?.controller === true)
  return owner?.kind === 'ReplicaSet' && owner.name === `${account}-${hash}` ? { name, isWaypoint } : undefined
}

/** Of which container of a pod the log is read. */
export const containerOf = ({ gateway }: WitnessPod): readonly string[] =>
  gateway === undefined ? [] : ['-c', proxyContainer]

export function kubectl({ place }: Pick<Context, 'place'>, args: readonly string[], timeoutMs: number): Command {
  return { tool: 'kubectl', args: [...kubectlArgs(place), ...args], timeoutMs }
}
