import { admissionView } from './admission.js'
import { causesOf } from './causes.js'
import { Controls } from './control.js'
import { flowOf } from './flow.js'
import { judge, type Prediction, runsThere, type Seen } from './judged.js'
import { expectedView, letIn, type Report, type ScenarioResult } from './result.js'
import {
  addsOnlyPods,
  applyChange,
  asMessage,
  isNotMakeable,
  type Staged,
  StillStanding,
  wouldBeRefused,
} from './stage.js'
import type { Admitted, LayerState, Scenario, Target } from './types.js'
import { expected, isAdmission, layersOn, missing } from './walls.js'

export interface RunOptions {
  /** The folder that holds `scenarios/`: manifests that scenarios bring are read from there. */
  readonly root: string
  /**
   * How many run at once of those that change nothing or whose change admission refuses, and then of those that only start pods
   * of their own. Default 4; the others run alone.
   */
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
 * what is seen. Those that change something run alone, after the others. Results are in the order of `scenarios`.
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
  const changing = new Set<Scenario>()
  const width = options.parallel ?? defaultParallel
  await inParallel(scenarios, width, async (scenario) => {
    if (await changesNothing(scenario, context)) await run(scenario)
    else changing.add(scenario)
  })
  const bystanders = new Set<Scenario>()
  for (const scenario of changing) if (await onlyRuns(scenario, options.root)) bystanders.add(scenario)
  const inOrder = (some: ReadonlySet<Scenario>) => scenarios.filter((scenario) => some.has(scenario))
  await inParallel(inOrder(bystanders), width, run)
  for (const scenario of inOrder(changing)) if (!bystanders.has(scenario)) await run(scenario)
  return {
    target: target.name,
    layers,
    results: scenarios.flatMap((scenario) => results.get(scenario.id) ?? []),
    durationMs: Math.round(performance.now() - start),
  }
}

/** It brings nothing along, or what it brings is refused: as expected, and as predicted. */
async function changesNothing({ given, change, ...scenario }: Scenario, context: Context): Promise<boolean> {
  if (change !== undefined) return false
  if (given === undefined) return true
  const { outcome, ...how } = expected(scenario, layersOn(context.layers))
  if (!('wall' in how) || outcome !== 'stopped' || !isAdmission(how.wall)) return false
  // Whatever is wrong with the change, the run itself tells.
  return wouldBeRefused(context.target, given, context.root).catch(() => false)
}

/** It adds pods that only are there: whom they would call, and who would call them, is not tried meanwhile. */
async function onlyRuns({ given, change, attempt }: Scenario, root: string): Promise<boolean> {
  if (attempt.kind !== 'run' || given === undefined || change !== undefined) return false
  // Whatever is wrong with the change, the run itself tells.
  return addsOnlyPods(given, root).catch(() => false)
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
  const unseen = (because: string): Promise<ScenarioResult> =>
    withCauses({ ...head, status: 'not-observed', because, ...took() })
  const notMade = (because: string): ScenarioResult => ({ ...head, status: 'not-made', because, ...took() })
  const withCauses = async (result: ScenarioResult): Promise<ScenarioResult> => {
    if (result.status === 'as-expected') return result
    const notes = [...(result.notes ?? []), ...(await switched(context))]
    return {
      ...result,
      ...(notes.length > 0 && { notes }),
      ...(target.name !== 'local' && { causes: causesOf(result) }),
    }
  }
  if (context.spoiled !== undefined) return unseen(`what is in force is not known: ${context.spoiled.message}`)
  try {
    const { control } = scenario
    // Close around the attack, so that a service that is down cannot pass for a wall that holds.
    const before = control === undefined ? undefined : await controls.before(control)
    if (before?.failed !== undefined)
      return before.notMakeable === true ? notMade(before.failed) : unseen(before.failed)
    const staged = await applyChange(target, `${scenario.id}.given`, scenario.given, root)
    const seen = await observe(scenario, staged, context).finally(staged.undo)
    const judged = { ...head, ...judge(scenario, target.name, expectation, seen) }
    if (control === undefined) return withCauses({ ...judged, status: statusOf(judged), ...took() })
    const after = await controls.after(control)
    const notes = [...(judged.notes ?? []), ...(before?.notes ?? []), ...(after.notes ?? [])]
    const result = {
      ...judged,
      ...(notes.length > 0 && { notes }),
      ...(after.observation === undefined ? {} : { control: after.observation }),
    }
    if (after.failed !== undefined)
      return withCauses({ ...result, status: 'not-observed', because: after.failed, ...took() })
    return withCauses({ ...result, status: statusOf(result), ...took() })
  } catch (error) {
    if (error instanceof StillStanding) context.spoiled = error
    if (isNotMakeable(error)) return notMade(error.message)
    return unseen(asMessage(error))
  }
}

/** Layers that somebody else has switched since the run began: what was expected was expected of others. */
async function switched({ target, layers, spoiled }: Context): Promise<readonly string[]> {
  // What this run itself left standing may be half a layer.
  if (spoiled !== undefined) return []
  // A target that is gone has said so already.
  const now = await target.layers().catch(() => layers)
  return layers.flatMap(({ name, on }) =>
    now.some((one) => one.name === name && one.on !== on)
      ? [
          `${name} was switched ${on ? 'off' : 'on'} by somebody else since the run began; run it again while nobody changes anything`,
        ]
      : [],
  )
}

function statusOf({ differences }: Pick<ScenarioResult, 'differences'>): 'as-expected' | 'different' {
  return differences.length === 0 ? 'as-expected' : 'different'
}

/** Predicts and attempts. What was refused is not there to be tried. */
async function observe(
  scenario: Scenario,
  { predicted: admissions, refused }: Staged,
  context: Context,
): Promise<Seen> {
  const predicted = admissionView(admissions)
  if (refused === undefined) {
    const seen = await tryIt(scenario, context)
    return predicted === undefined ? seen : { ...seen, predicted: { view: predicted } }
  }
  const view = admissionView(refused) ?? { outcome: 'stopped', symptom: 'admission-refused' }
  return { refused: view, predicted: { view: predicted ?? letIn } }
}

/** A held attempt is predicted as it stands once the change is in force. */
async function tryIt(scenario: Scenario, { target, root, signal }: Context): Promise<Seen> {
  const { id, from, attempt, change } = scenario
  const flow = flowOf(from, attempt)
  const predict = async (): Promise<{ readonly predicted?: Prediction }> => {
    if (flow !== undefined) return { predicted: { verdict: await target.predict(flow) } }
    return attempt.kind === 'run' ? { predicted: runsThere } : {}
  }
  const aborting = signal === undefined ? {} : { signal }
  if (change === undefined) return { ...(await predict()), evidence: await target.attempt(from, attempt, aborting) }

  let changed: Promise<Staged> | undefined
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
    const { refused } = (await changed) ?? {}
    if (refused !== undefined) throw new Error(refusalText(refused))
    return { ...(await predict()), evidence }
  } finally {
    // A change that failed has been taken back already.
    const staged = await changed?.catch(() => undefined)
    await staged?.undo()
  }
}

function refusalText(refused: readonly Admitted[]): string {
  return `what was to change while the connection is open was refused: ${admissionView(refused)?.message ?? 'by admission'}`
}
