import type { Change, LayerState } from '@bulkhead/scenarios'
import type { FlowRecord, Symptom, Verdict } from '@bulkhead/verdict'
import type { Applied, LabTarget, Refused } from '../target.js'

/** A target that only remembers: what is applied, which layers are off, what calls come to. */
export class FakeTarget implements LabTarget {
  startedAt = '2026-01-31T10:00:00.000Z'
  off = new Set<string>()
  changes = new Map<string, Change>()
  /** Beside what is applied. */
  objects = new Set<string>()
  records: FlowRecord[] = []
  refusals: Refused[] = []
  /** What calls come to, by `from -> service`; `ok` is not told. */
  judged: Record<string, Symptom> = {}
  seen: Record<string, Symptom> = {}
  attempts = 0
  /** Called before each change; what it throws fails the change. */
  before: () => void = () => undefined
  readonly #layers: readonly string[]

  constructor(layers: readonly string[]) {
    this.#layers = layers
  }

  started = async (): Promise<string> => this.startedAt
  layers = async (): Promise<readonly LayerState[]> =>
    this.#layers.map((name) => ({ name, on: !this.off.has(name), objects: 1 }))
  setLayers = async ({ on = [], off = [] }: { on?: readonly string[]; off?: readonly string[] }): Promise<void> => {
    this.before()
    for (const name of on) this.off.delete(name)
    for (const name of off) this.off.add(name)
  }
  inForce = async (): Promise<ReadonlySet<string>> => {
    const without = [...this.changes.values()].flatMap((change) => change.without ?? [])
    const applied = [...this.changes].flatMap(([name, { objects }]) => (objects === undefined ? [] : [name]))
    return new Set([...this.objects, ...applied].filter((id) => !without.includes(id)))
  }
  applied = async (): Promise<readonly Applied[]> => [...this.changes].map(([name, change]) => ({ name, change }))
  remove = async (id: string): Promise<void> => this.apply(id, { without: [id] })
  refused = async (): Promise<readonly Refused[]> => this.refusals
  flows = async (): Promise<readonly FlowRecord[]> => this.records
  apply = async (name: string, change: Change): Promise<void> => {
    this.before()
    this.changes.set(name, change)
  }
  withdraw = async (name: string): Promise<void> => {
    this.before()
    this.changes.delete(name)
  }
  predict: LabTarget['predict'] = async (flow) => {
    const key = keyOf('workload' in flow.from ? flow.from.workload : 'outside', flow.to)
    return { outcome: 'allow', symptom: this.judged[key] ?? 'ok', hops: [], steps: [], text: '' } satisfies Verdict
  }
  attempt: LabTarget['attempt'] = async (from, { to }) => {
    this.attempts += 1
    const symptom = this.seen[keyOf(from, to)] ?? 'ok'
    const http = { status: 200, headers: {}, body: '' }
    return { observation: { symptom, phase: 'answer', timings: {}, bytes: 0, http }, flows: [] }
  }
}

const keyOf = (from: string, to: object): string => `${from} -> ${'service' in to ? to.service : ''}`
