import type { Attempt, ResolvedAttempt } from '@bulkhead/scenarios'
import { NoLoot, lootOf as stolen } from '@bulkhead/scenarios/loot'
import type { Place } from '../../place.js'
import type { Tools } from '../../tools.js'
import { TargetError } from '../errors.js'
import { asked, kubectl, type Live, type LiveObject, textAt, valueAt } from '../live/index.js'
import { listAt } from '../live/plain.js'
import { makeAttempt } from './run.js'
import { callerOf, livePod, podOf } from './where.js'

/** Who gives tokens for passwords, and where. */
const manager = { workload: 'gthulhu/gthulhu-manager', port: 8080, path: '/api/v1/auth/login' } as const
/** Shorter than a token's life; a login costs the manager a hash, and a thief has one token, not one for each request. */
const keptMs = 10 * 60_000
const tokenLife = '10m'

/** What has been stolen on this cluster: each thing once. */
export class Loot {
  readonly #tools: Tools
  readonly #place: Place
  readonly #logins = new Map<string, { readonly token: Promise<string>; readonly until: number }>()

  constructor(tools: Tools, place: Place) {
    this.#tools = tools
    this.#place = place
  }

  /**
   * What an attempt needs and no scenario holds: read by the cluster's administrator, since that somebody has it is given.
   * @throws TargetError `bad-attempt` when there is none
   */
  async of(attempt: Attempt, live: Live): Promise<Pick<ResolvedAttempt, 'password' | 'token'>> {
    try {
      return await stolen(attempt, {
        secret: (namespace, name, key) => this.#secret(namespace, name, key),
        serviceAccountToken: (workload) => this.#token(workload, live),
        login: (username, password) => this.#login(username, password, live),
      })
    } catch (error) {
      if (error instanceof NoLoot) throw new TargetError('bad-attempt', error.message)
      throw error
    }
  }

  async #secret(namespace: string, name: string, key: string): Promise<string | undefined> {
    const args = ['get', 'secret', '-n', namespace, name, '--ignore-not-found', '-o', 'json']
    const said = await asked(this.#tools, kubectl(this.#place, args, { secret: true }))
    const value = said.trim() === '' ? undefined : textAt(JSON.parse(said), 'data', key)
    return value === undefined ? undefined : Buffer.from(value, 'base64').toString()
  }

  /** One as the kubelet gives it to that pod, and only where it gives it one. */
  async #token(workload: string, live: Live): Promise<string | undefined> {
    const pod = livePod(podOf(workload, live), live)
    if (!hasToken(pod)) return undefined
    const { namespace = 'default', name, uid = '' } = pod.metadata
    const account = textAt(pod, 'spec', 'serviceAccountName') ?? 'default'
    const bound = ['--bound-object-kind', 'Pod', '--bound-object-name', name, '--bound-object-uid', uid]
    const args = ['create', 'token', '-n', namespace, account, '--duration', tokenLife, ...bound]
    return (await asked(this.#tools, kubectl(this.#place, args, { secret: true }))).trim()
  }

  #login(username: string, password: string, live: Live): Promise<string> {
    const known = this.#logins.get(username)
    if (known !== undefined && known.until > performance.now()) return known.token
    const token = this.#logIn(username, password, live)
    this.#logins.set(username, { token, until: performance.now() + keptMs })
    token.catch(() => this.#logins.delete(username))
    return token
  }

  /** Asked in the manager's own pod, at its loopback, which no wall is in front of: how the user came in is not what is tried. */
  async #logIn(username: string, password: string, live: Live): Promise<string> {
    const { workload, port, path } = manager
    const body = JSON.stringify({ username, password })
    const headers = { 'content-type': 'application/json' }
    const attempt = { kind: 'http', to: { workload }, port, http: { method: 'POST', path, headers, body } } as const
    const caller = callerOf(workload, attempt, live)
    if (caller.kind !== 'owned')
      throw new NoLoot(`there is no token of the manager to steal: ${workload} runs no program of ours.`)
    const resolved = { ...attempt, host: '127.0.0.1', timeoutMs: 15_000, password }
    const { observation } = await makeAttempt(caller, resolved, { tools: this.#tools, place: this.#place })
    const token = observation.http?.status === 200 ? tokenIn(observation.http.body) : undefined
    if (token !== undefined) return token
    const answer = observation.http === undefined ? observation.symptom : `it answered ${observation.http.status}`
    throw new NoLoot(`there is no token of the manager to steal: ${answer}.`)
  }
}

function tokenIn(body: string): string | undefined {
  try {
    return textAt(JSON.parse(body), 'data', 'token')
  } catch {
    return undefined
  }
}

const hasToken = (pod: LiveObject): boolean =>
  listAt(pod, 'spec', 'volumes').some((volume) =>
    listAt(volume, 'projected', 'sources').some((source) => valueAt(source, 'serviceAccountToken') !== undefined),
  )
