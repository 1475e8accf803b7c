import { setTimeout as wait } from 'node:timers/promises'
import type { Place } from '../place.js'
import { policiesAsked } from '../plan/layers.js'
import type { Tools } from '../tools.js'
import { asked, itemsOf, kubectl, parsed, textAt, valueAt } from './live/index.js'
import { groupOf } from './live/raw.js'

/*
 * From an object in the API server to its being enforced. Cilium's agents number the sets of policies that they have heard of, and say for
 * each endpoint which number it enforces. istiod sends to ztunnel and to the proxies a moment after it has heard of a change (it waits
 * 100 ms for more), and nothing on the cluster says when they have taken it: there it is a bounded while. Kyverno says of a policy that
 * it has told the API server to ask it, which the API server hears of a moment later; of one that is gone nobody says anything.
 */

export interface SettleOptions {
  readonly tools: Tools
  readonly place: Place
  /** Between two looks, in milliseconds. Default 500. */
  readonly pauseMs?: number
  /** How long istiod and those whom it tells are given, and the API server to hear of Kyverno's policies. Default 3000. */
  readonly meshMs?: number
  /** How long Cilium may take. Default 30 000. */
  readonly networkMs?: number
}

/** Of each of Cilium's agents: up to which set of policies all its endpoints have come. Undefined where it was not asked. */
export type Revisions = ReadonlyMap<string, number>

interface Changed {
  readonly apiVersion: string
  readonly kind: string
}

const kyvernoGroups = new Set(['policies.kyverno.io', 'kyverno.io'])
const meshGroups = new Set(['security.istio.io', 'gateway.networking.k8s.io', 'networking.istio.io'])

/** What has to have heard of a change before it is in force. */
export function enforcersOf(objects: readonly Changed[]): ReadonlySet<'cilium' | 'istio' | 'kyverno'> {
  return new Set(
    objects.flatMap((object) => {
      const group = groupOf(object)
      if (object.kind.endsWith('NetworkPolicy')) return ['cilium'] as const
      if (kyvernoGroups.has(group)) return ['kyverno'] as const
      if (object.kind === 'ServiceAccount') return []
      // A Service that names a waypoint, a namespace's labels and a pod's are istiod's to pass on, too.
      return meshGroups.has(group) || group === '' || group === 'apps' ? (['istio'] as const) : []
    }),
  )
}

export class Settle {
  readonly #options: SettleOptions

  constructor(options: SettleOptions) {
    this.#options = options
  }

  /** Asked before a change, so that it is known what is new after it. */
  async before(objects: readonly Changed[]): Promise<Revisions> {
    if (!enforcersOf(objects).has('cilium')) return new Map()
    return new Map((await this.#revisions()).map(({ agent, realized }) => [agent, realized]))
  }

  /**
   * Resolves when the change is enforced, as far as anybody says so, and else after a while that is long enough on a quiet cluster.
   * Which of it did not come about in time is in the answer: the caller goes on, since an attempt says more.
   */
  async after(before: Revisions, objects: readonly Changed[]): Promise<readonly string[]> {
    const enforcers = enforcersOf(objects)
    const notes = await Promise.all([
      enforcers.has('cilium') ? this.#network(before) : undefined,
      enforcers.has('kyverno') ? this.#policies() : undefined,
      enforcers.has('istio') ? wait(this.#options.meshMs ?? 3000).then(() => undefined) : undefined,
    ])
    return notes.filter((note) => note !== undefined)
  }

  async #network(before: Revisions): Promise<string | undefined> {
    const { pauseMs = 500, networkMs = 30_000 } = this.#options
    for (const deadline = performance.now() + networkMs; ; await wait(pauseMs)) {
      const now = await this.#revisions()
      const late = now.filter(({ agent, wanted, realized }) => realized < wanted || wanted <= (before.get(agent) ?? -1))
      if (late.length === 0) return undefined
      if (performance.now() > deadline)
        return `Cilium's agents ${late.map(({ agent }) => agent).join(' and ')} did not say within ${networkMs / 1000} s that all their endpoints have the new policies`
    }
  }

  async #policies(): Promise<string | undefined> {
    const { tools, place, meshMs = 3000 } = this.#options
    const { code, stderr } = await tools.run(kubectl(place, [...policiesAsked, '--timeout=60s'], { timeoutMs: 75_000 }))
    await wait(meshMs)
    if (code === 0 || /no matching resources found/.test(stderr)) return undefined
    return `Kyverno did not say within 60 s that the API server asks it about its policies: ${stderr.trim()}`
  }

  /** Of each agent that can be asked; a cluster without Cilium has none. */
  async #revisions(): Promise<readonly { agent: string; wanted: number; realized: number }[]> {
    const { tools, place } = this.#options
    const list = ['get', 'pods', '-n', 'kube-system', '-l', 'k8s-app=cilium', '-o', 'json']
    const agents = itemsOf(await asked(tools, kubectl(place, list))).map(({ metadata }) => metadata.name)
    return Promise.all(
      agents.map(async (agent) => {
        const exec = ['exec', '-n', 'kube-system', agent, '-c', 'cilium-agent', '--']
        const said = await asked(tools, kubectl(place, [...exec, 'cilium-dbg', 'endpoint', 'list', '-o', 'json']))
        return { agent, ...revisionsIn(said) }
      }),
    )
  }
}

/** The newest set of policies that any endpoint is to have, and the oldest that one still enforces. */
export function revisionsIn(text: string): { readonly wanted: number; readonly realized: number } {
  const list = parsed(text)
  const endpoints = (Array.isArray(list) ? list : []).filter(
    (one) => textAt(one, 'status', 'state') === 'ready' || isBusy(one),
  )
  const numbers = (which: string): readonly number[] =>
    endpoints.map((one) => Number(valueAt(one, 'status', 'policy', which, 'policy-revision') ?? 0))
  return {
    wanted: Math.max(0, ...numbers('spec'), ...numbers('realized')),
    realized: Math.min(...numbers('realized'), Number.MAX_SAFE_INTEGER),
  }
}

/** One that is being made anew counts: it enforces the old set still. */
const isBusy = (endpoint: unknown): boolean =>
  ['regenerating', 'waiting-to-regenerate', 'restoring'].includes(textAt(endpoint, 'status', 'state') ?? '')
