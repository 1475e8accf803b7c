import type { Explanation } from '@bulkhead/analysis'
import type { ControlFile, NamedChange, ObjectInForce, RefusedRequest } from '@bulkhead/local-cluster'
import { readControl } from '@bulkhead/local-cluster/state'
import type { Attempt, Change, Evidence, LayerState, Target } from '@bulkhead/scenarios'
import type { Flow, FlowRecord, Verdict } from '@bulkhead/verdict'
import type { Admission, Requester } from '@bulkhead/verdict/admission'
import { admissionOf } from './admission.js'
import type {
  AdmissionTold,
  ChangeApplied,
  ExecStarted,
  LayersChanged,
  LogPart,
  LogTail,
  ManifestsTold,
  Status,
} from './api.js'
import { ControlError, events, json, type Limits, type Place } from './wire.js'

/**
 * The running local target, seen from another process. It is a Target, so scenarios run through it.
 *
 * Methods reject with a ControlError: the target's own code and sentence, or `unreachable`.
 */
export class ControlClient implements Target {
  readonly name = 'local'
  readonly url: string
  readonly pid: number
  readonly #place: Place

  /** @param limits for tests */
  constructor(control: Pick<ControlFile, 'pid'> & { readonly url: string; readonly token: string }, limits?: Limits) {
    this.url = control.url
    this.pid = control.pid
    this.#place = { url: control.url, token: control.token, ...(limits !== undefined && { limits }) }
  }

  /**
   * The target that runs on a state folder.
   *
   * @throws ControlError `not-up` when none does, `starting` when it is not yet to be spoken to.
   */
  static find(stateDir: string): ControlClient {
    const found = readControl(stateDir)
    if (found === undefined) {
      throw new ControlError('not-up', `nothing is up here (no ${stateDir}/control.json); start it with npm start.`)
    }
    const { pid, url, token } = found.control
    if (found.stale) {
      throw new ControlError(
        'not-up',
        `nothing is up here: the target that was (process ${pid}) ended without saying so. Start it again with npm start.`,
      )
    }
    if (url === undefined || token === undefined) {
      throw new ControlError('starting', `the target (process ${pid}) is still starting; try again in a second.`)
    }
    return new ControlClient({ pid, url, token })
  }

  status(): Promise<Status> {
    return json(this.#place, 'GET', '/v1/status')
  }

  async layers(): Promise<readonly LayerState[]> {
    return (await json<{ layers: readonly LayerState[] }>(this.#place, 'GET', '/v1/layers')).layers
  }

  setLayers(change: { readonly on?: readonly string[]; readonly off?: readonly string[] }): Promise<LayersChanged> {
    return json(this.#place, 'PUT', '/v1/layers', change)
  }

  predict(flow: Flow): Promise<Verdict> {
    return json(this.#place, 'POST', '/v1/judge', { flow })
  }

  explain(flow: Flow): Promise<Explanation> {
    return json(this.#place, 'POST', '/v1/explain', { flow })
  }

  /** What admission would say of each object of the change, in order, as `apply` would ask it. Nothing is changed. */
  async admit(change: Change, user?: Requester): Promise<readonly Admission[]> {
    const body = { change, ...(user !== undefined && { user }) }
    const told = await json<{ admissions: readonly AdmissionTold[] }>(this.#place, 'POST', '/v1/admit', body)
    return told.admissions.map(admissionOf)
  }

  async flows(filter: { run?: string } = {}): Promise<readonly FlowRecord[]> {
    const query = filter.run === undefined ? '' : `?run=${encodeURIComponent(filter.run)}`
    return (await json<{ flows: readonly FlowRecord[] }>(this.#place, 'GET', `/v1/flows${query}`)).flows
  }

  /** Each flow record as its connection ends, until the signal. */
  async *followFlows(signal: AbortSignal): AsyncGenerator<FlowRecord> {
    for await (const { data } of events(this.#place, 'GET', '/v1/flows?follow=1', undefined, signal))
      yield data as FlowRecord
  }

  /** What becomes of each save under the manifests' folders, until the signal. */
  async *followManifests(signal: AbortSignal): AsyncGenerator<ManifestsTold> {
    for await (const { data } of events(this.#place, 'GET', '/v1/events', undefined, signal))
      yield data as ManifestsTold
  }

  logs(workload: string, tail: number): Promise<LogTail> {
    return json(this.#place, 'GET', `/v1/logs?workload=${encodeURIComponent(workload)}&tail=${tail}`)
  }

  async *followLogs(workload: string, tail: number, signal: AbortSignal): AsyncGenerator<LogPart> {
    const path = `/v1/logs?workload=${encodeURIComponent(workload)}&tail=${tail}&follow=1`
    for await (const { data } of events(this.#place, 'GET', path, undefined, signal)) yield data as LogPart
  }

  /** Every object that is in force, and what brought it. */
  async objects(): Promise<readonly ObjectInForce[]> {
    return (await json<{ objects: readonly ObjectInForce[] }>(this.#place, 'GET', '/v1/objects')).objects
  }

  /** The changes that stand, as they were given. */
  async changes(): Promise<readonly NamedChange[]> {
    return (await json<{ changes: readonly NamedChange[] }>(this.#place, 'GET', '/v1/changes')).changes
  }

  /** The changes that admission refused since the target was started. */
  async refused(): Promise<readonly RefusedRequest[]> {
    return (await json<{ refused: readonly RefusedRequest[] }>(this.#place, 'GET', '/v1/refused')).refused
  }

  async apply(name: string, change: Change): Promise<void> {
    await this.put(name, change)
  }

  /** The same, with what the API server warned of. */
  put(name: string, change: Change): Promise<ChangeApplied> {
    return json(this.#place, 'PUT', `/v1/changes/${encodeURIComponent(name)}`, change)
  }

  async withdraw(name: string): Promise<void> {
    await json(this.#place, 'DELETE', `/v1/changes/${encodeURIComponent(name)}`)
  }

  async attempt(
    from: string,
    attempt: Attempt,
    options: { held?: () => Promise<void>; signal?: AbortSignal } = {},
  ): Promise<Evidence> {
    const stop = new AbortController()
    const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal])
    let held: Promise<void> = Promise.resolve()
    try {
      for await (const { event, data } of events(this.#place, 'POST', '/v1/attempts', { from, attempt }, signal)) {
        if (event === 'evidence') {
          await held
          return data as Evidence
        }
        if (event === 'held' && options.held !== undefined) {
          // What fails while the connection is held fails the attempt, now.
          held = options.held()
          held.catch(() => stop.abort())
        }
      }
    } catch (error) {
      await held
      throw error
    }
    await held
    options.signal?.throwIfAborted()
    throw new ControlError('unreachable', `the target ended while an attempt from ${from} was under way.`)
  }

  /** The right to run a program as a pod of the workload, until `close` is called or this process ends. */
  async exec(workload: string): Promise<ExecStarted & { close(): Promise<void> }> {
    const stop = new AbortController()
    const stream = events(this.#place, 'POST', '/v1/exec', { workload }, stop.signal)
    const first = await stream.next()
    if (first.done === true) throw new ControlError('unreachable', 'the target ended.')
    const close = async () => {
      stop.abort()
      await stream.next().catch(() => undefined)
    }
    return { ...(first.value.data as ExecStarted), close }
  }

  /** Asks the target to end; it answers before it has. */
  async shutdown(): Promise<void> {
    await json(this.#place, 'POST', '/v1/shutdown', {})
  }
}
