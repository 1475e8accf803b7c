import { compareReality, compareRecord, compareThrough, compareViews } from './compare.js'
import { Controls } from './control.js'
import { flowOf } from './flow.js'
import {
  expectedView,
  observedView,
  predictedView,
  type Report,
  recordOf,
  type ScenarioResult,
  type View,
} from './result.js'
import { applyChange, asMessage, StillStanding, type Undo } from './stage.js'
import type { Evidence, LayerState, Scenario, Target } from './types.js'
import { expected, layersOn, missing } from './walls.js'

export interface RunOptions {
  /** The folder that holds `scenarios/`: manifests that scenarios bring are read from there. */
  readonly root: string
  /** How many scenarios that change nothing run at once. Default 4; the others run alone. */
  readonly parallel?: number
  /** No new attempt is started once it is aborted; what was changed is still taken back. */
  readonly signal?: AbortSignal
  /** Told as each scenario ends, in the order in which they end. */
  readonly onResult?: (result: ScenarioResult) => void
}

interface Context extends RunOptions {
  readonly target: Target
  readonly layers: readonly LayerState[]
  readonly controls: Controls
  /** Set once a change stands that should not. */
  spoiled?: StillStanding
}

const defaultParallel = 4

/**
 * Runs scenarios against a target as it is now: what must happen with the layers that are on, what the engine says, and
 * what is seen. Those that change policies run alone, after the others. Results are in the order of `scenarios`.
 * @throws the signal's reason when it is aborted, after what stands has been withdrawn; StillStanding when that failed
 */
export async function runScenarios(
  target: Target,
  scenarios: readonly Scenario[],
  options: RunOptions,
): Promise<Report> {
  const start = performance.now()
  const layers = await target.layers()
  const context: Context = { ...options, target, layers, controls: new Controls(target, options.signal) }
  const results = new Map<string, ScenarioResult>()
  const run = async (scenario: Scenario): Promise<void> => {
    options.signal?.throwIfAborted()
    const result = await runOne(scenario, context)
    // Above all else whoever stopped the run has to know what it left behind.
    if (options.signal?.aborted === true) throw context.spoiled ?? options.signal.reason
    results.set(scenario.id, result)
    options.onResult?.(result)
  }
  const changes = (scenario: Scenario): boolean => scenario.given !== undefined || scenario.change !== undefined
  await inParallel(
    scenarios.filter((scenario) => !changes(scenario)),
    options.parallel ?? defaultParallel,
    run,
  )
  for (const scenario of scenarios.filter(changes)) await run(scenario)
  return {
    target: target.name,
    layers,
    results: scenarios.flatMap((scenario) => results.get(scenario.id) ?? []),
    durationMs: Math.round(performance.now() - start),
  }
}

async function inParallel<T>(items: readonly T[], width: number, run: (item: T) => Promise<void>): Promise<void> {
  const rest = [...items]
  const worker = async (): Promise<void> => {
    for (let item = rest.shift(); item !== undefined; item = rest.shift()) {
      try {
        await run(item)
      } catch (error) {
        // The others finish what they are in, and start nothing new.
        rest.length = 0
        throw error
      }
    }
  }
  const ended = await Promise.allSettled(Array.from({ length: Math.max(1, width) }, worker))
  for (const worker of ended) if (worker.status === 'rejected') throw worker.reason
}

async function runOne(scenario: Scenario, context: Context): Promise<ScenarioResult> {
  const start = performance.now()
  const { target, layers, root, controls } = context
  const on = layersOn(layers)
  const expectation = expectedView(expected(scenario, on))
  const head = { scenario, expected: expectation, differences: [] }
  const took = (): { durationMs: number } => ({ durationMs: Math.round(performance.now() - start) })
  if (scenario.only !== undefined && scenario.only !== target.name) {
    return { ...head, status: 'skipped', because: `it is for the ${scenario.only} target only`, ...took() }
  }
  const off = missing(scenario, on)
  if (off.length > 0) {
    const there = off.every((name) => layers.some((layer) => layer.name === name))
    const because = `it needs ${off.join(' and ')}, which ${off.length === 1 ? 'is' : 'are'} ${there ? 'off' : 'not there'}`
    return { ...head, status: 'skipped', because, ...took() }
  }
  const unseen = (because: string): ScenarioResult => ({ ...head, status: 'not-observed', because, ...took() })
  if (context.spoiled !== undefined) return unseen(`what is in force is not known: ${context.spoiled.message}`)
  try {
    const { control } = scenario
    // Close around the attack, so that a service that is down cannot pass for a wall that holds.
    const before = control === undefined ? undefined : await controls.before(control)
    if (before?.failed !== undefined) return unseen(before.failed)
    const undo = await applyChange(target, `${scenario.id}.given`, scenario.given, root)
    const seen = await observe(scenario, context).finally(undo)
    const judged = { ...head, ...judge(scenario, target.name, expectation, seen) }
    if (control === undefined) return { ...judged, status: statusOf(judged), ...took() }
    const after = await controls.after(control)
    const result = { ...judged, ...(after.observation === undefined ? {} : { control: after.observation }) }
    if (after.failed !== undefined) return { ...result, status: 'not-observed', because: after.failed, ...took() }
    return { ...result, status: statusOf(result), ...took() }
  } catch (error) {
    if (error instanceof StillStanding) context.spoiled = error
    return unseen(asMessage(error))
  }
}

function statusOf({ differences }: Pick<ScenarioResult, 'differences'>): 'as-expected' | 'different' {
  return differences.length === 0 ? 'as-expected' : 'different'
}

interface Seen {
  readonly evidence: Evidence
  /** Absent for what is no flow. */
  readonly predicted?: View
}

/** Predicts and attempts. A held attempt is predicted as it stands once the change is in force. */
async function observe(scenario: Scenario, { target, root, signal }: Context): Promise<Seen> {
  const { id, from, attempt, change } = scenario
  const flow = flowOf(from, attempt)
  const predict = async (): Promise<Pick<Seen, 'predicted'>> =>
    flow === undefined ? {} : { predicted: predictedView(await target.predict(flow)) }
  const aborting = signal === undefined ? {} : { signal }
  if (change === undefined) return { ...(await predict()), evidence: await target.attempt(from, attempt, aborting) }

  let changed: Promise<Undo> | undefined
  let inForce = false
  const held = async (): Promise<void> => {
    changed ??= applyChange(target, `${id}.change`, change, root)
    await changed
    inForce = true
  }
  try {
    const evidence = await target.attempt(from, attempt, { ...aborting, held })
    const late = changed !== undefined && !inForce && evidence.observation.symptom === 'ok'
    if (late)
      throw new Error('the connection ended by itself before the change was in force; give it a longer timeoutMs')
    await changed
    return { ...(await predict()), evidence }
  } finally {
    // A change that failed has been taken back already.
    const undo = await changed?.catch(() => undefined)
    await undo?.()
  }
}

function judge(
  scenario: Scenario,
  name: Target['name'],
  expectation: View,
  { evidence, predicted }: Seen,
): Pick<ScenarioResult, 'predicted' | 'observed' | 'observation' | 'differences'> {
  const record = recordOf(evidence.flows)
  const observed = observedView(evidence.observation, record, scenario.from)
  const differences = compareViews('observed', expectation, observed)
  if (name === 'local') differences.push(...compareRecord(scenario, expectation, evidence.observation, record))
  if (observed.outcome === 'through' && expectation.outcome === 'through') {
    differences.push(...compareThrough(scenario.expect.through, evidence.observation))
  }
  if (predicted !== undefined) {
    differences.unshift(...compareViews('predicted', expectation, predicted))
    // What differs from the expectation has been said; this is for a view that agrees, from another line.
    if (differences.length === 0) differences.push(...compareReality(predicted, observed))
  }
  return { ...(predicted === undefined ? {} : { predicted }), observed, observation: evidence.observation, differences }
}
