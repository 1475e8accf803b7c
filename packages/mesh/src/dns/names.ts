import type { CniVerdict, Pod, PointVerdict, Step } from '@bulkhead/verdict'
import type { Context } from '../context.js'
import type { Failure, Flow } from '../flows.js'
import { judgePacket, passes } from '../network.js'
import { noSuchName } from '../obstacles.js'
import type { Outside } from '../seams.js'
import { Learned } from './learned.js'

/** Of Service kube-dns. */
export const DNS_PORT = 53
const KUBE_DNS = 'kube-dns.kube-system.svc.cluster.local.'

/** What became of a question for a name that is none of the cluster's. */
export type NameAnswer = { readonly steps: readonly Step[] } & (
  | { readonly kind: 'answered'; readonly addresses: readonly string[] }
  /** A wall let the question pass and not the name; dropped it; or nobody has that name. */
  | { readonly kind: 'refused' | 'dropped' | 'unknown' }
)

export const nameFailures: Readonly<Record<'refused' | 'dropped' | 'unknown', (name: string) => Failure>> = {
  refused: (name) => ({
    flag: 'DENY',
    symptom: 'dns-refused',
    error: `the question for ${JSON.stringify(name)} was refused: a network policy does not allow that name`,
  }),
  dropped: (name) => ({
    flag: 'NETWORK_POLICY',
    symptom: 'dns-timeout',
    error: `the question for ${JSON.stringify(name)} was dropped by network policy on its way to kube-dns`,
  }),
  unknown: (name) => ({
    flag: 'NO_NAME',
    symptom: 'dns-not-found',
    error: `${JSON.stringify(name)} is no name in this cluster, and the outside that there is here has no such name`,
  }),
}

/** kube-dns, as pods ask it for names beyond the cluster: each question is a packet that the walls judge. */
export class Names {
  readonly #context: Context
  readonly #outside: Outside
  readonly learned = new Learned()

  constructor(context: Context, outside: Outside) {
    this.#context = context
    this.#outside = outside
  }

  /** Judges a question of that pod, and answers it. */
  async ask(source: Pod, name: string): Promise<NameAnswer> {
    const { verdicts, steps } = this.judge(source, name)
    if (!passes(verdicts)) return { kind: isRefusal(verdicts) ? 'refused' : 'dropped', steps }
    const addresses = await this.#outside.resolve(name)
    if (addresses === undefined || addresses.length === 0) return { kind: 'unknown', steps }
    this.answered(source, name, verdicts, addresses)
    return { kind: 'answered', steps, addresses }
  }

  /** The question's packet, at both ends. A pod on its node's network asks the node's resolver, past all of them. */
  judge(source: Pod, name: string): { readonly verdicts: readonly CniVerdict[] | undefined; steps: readonly Step[] } {
    const { snapshot } = this.#context.policy()
    const { dns } = snapshot.platform
    if (source.hostNetwork || source.key === dns.key) return { verdicts: [], steps: [] }
    const kubeDns = snapshot.resolveName(KUBE_DNS, source.namespace)
    const port = kubeDns.kind === 'service' ? snapshot.targetPort(kubeDns.service, DNS_PORT, dns, 'UDP') : undefined
    const payload = { kind: 'dns', query: name } as const
    const verdicts = judgePacket(this.#context.judgeAt, snapshot, source, dns, port ?? DNS_PORT, 'UDP', { payload })
    return { verdicts, steps: (verdicts ?? []).flatMap((verdict) => asking(verdict, name).steps) }
  }

  /** An answer has come back: where a DNS rule let the question pass, the wall has learned from it. */
  answered(source: Pod, name: string, verdicts: readonly CniVerdict[] | undefined, addresses: readonly string[]): void {
    if (verdicts?.some(({ point, reads }) => point === 'cni-egress' && reads === 'dns') === true)
      this.learned.add(source.key, name, addresses)
  }

  /** Ends the flow of a question that has no answer: with why, and with the wait that a lost packet costs. */
  async fail(
    flow: Flow,
    name: string,
    answer: NameAnswer & { kind: 'refused' | 'dropped' | 'unknown' },
  ): Promise<void> {
    flow.asked(answer.steps)
    flow.transport = 'dns'
    if (answer.kind === 'unknown') flow.step(noSuchName(name))
    flow.fail(nameFailures[answer.kind](name))
    flow.end()
    if (answer.kind === 'dropped')
      await new Promise((resolve) => setTimeout(resolve, this.#context.connectTimeoutMs).unref())
  }
}

/** A word on a packet that asks for a name. */
export const asking = <V extends PointVerdict>(verdict: V, query: string): V => ({
  ...verdict,
  steps: verdict.steps.map((step) => ({ ...step, facts: { ...step.facts, query } })),
})

/** The packet passed, and what it asks did not. */
export const isRefusal = (verdicts: readonly CniVerdict[] | undefined): boolean =>
  verdicts?.flatMap(({ steps }) => steps).find(({ outcome }) => outcome !== 'allow' && outcome !== 'not-applicable')
    ?.code === 'cni.dns-denied'
