import { type Attempt, flowOf, type Sighting } from '@bulkhead/scenarios'
import { judge, type Snapshot } from '@bulkhead/verdict'
import { clusterName } from '../../place.js'
import type { RunOptions, Tools } from '../../tools.js'
import { isPlayed } from './nowhere.js'

/** curl's exit codes where nobody was reached: no such name, not connected, out of time, no TLS. */
const unreached = new Set([6, 7, 28, 35])

/** Real hosts, as a node reaches them: no wall stands between it and them. Each is asked once. */
export class World {
  readonly #tools: Tools
  readonly #asked = new Map<string, Promise<boolean>>()

  constructor(tools: Tools) {
    this.#tools = tools
  }

  /** Why an attempt on a real host that failed says nothing: nobody can reach it from here. Undefined where it is not that. */
  async outOfReach(
    from: string,
    attempt: Attempt,
    seen: { readonly sightings: readonly Sighting[]; readonly snapshot: Snapshot },
    options: RunOptions = {},
  ): Promise<string | undefined> {
    const { kind, to } = attempt
    if (kind === 'dns' || !('host' in to) || isPlayed(to.host)) return undefined
    const refused = seen.sightings.some(({ outcome }) => outcome === 'deny')
    if (refused || !needsFarSide(from, attempt, seen.snapshot)) return undefined
    const asked = this.#asked.get(to.host) ?? this.#reaches(to.host, options)
    this.#asked.set(to.host, asked)
    // One that was called off is no answer.
    asked.catch(() => this.#asked.delete(to.host))
    if (await asked) return undefined
    return `${to.host} cannot be reached from here: a node of the cluster, in whose way no wall stands, does not reach it either.`
  }

  async #reaches(host: string, options: RunOptions): Promise<boolean> {
    const curl = ['curl', '--silent', '--insecure', '--max-time', '10', '--output', '/dev/null', `https://${host}/`]
    const args = ['exec', `${clusterName}-control-plane`, ...curl]
    const { code } = await this.#tools.run({ tool: 'docker', args, timeoutMs: 25_000 }, options)
    return code === undefined || !unreached.has(code)
  }
}

/** Whether somebody has to answer before a wall says anything: where packets or questions are dropped nobody has. */
function needsFarSide(from: string, attempt: Attempt, snapshot: Snapshot): boolean {
  const flow = flowOf(from, attempt)
  if (flow === undefined) return false
  const { outcome, symptom } = judge(flow, snapshot)
  return outcome === 'allow' || !(symptom === 'timeout' || symptom === 'late-reset' || symptom.startsWith('dns-'))
}
