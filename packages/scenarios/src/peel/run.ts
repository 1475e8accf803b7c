import type { ScenarioResult } from '../result.js'
import { type RunOptions, runScenarios } from '../runner.js'
import { asMessage } from '../stage.js'
import type { LayerState, Scenario, Target } from '../types.js'
import { fateOfResult } from './fate.js'
import { type Setting, settingsOf } from './settings.js'
import type { Peeled } from './types.js'

/** Of a cluster's layer it is known which of its objects are not there: with some of them it is half a wall, and counts as off. */
export interface SwitchedLayer extends LayerState {
  readonly missing?: readonly string[]
}

/** A target whose layers can be switched while it runs. */
export interface LayeredTarget extends Target {
  layers(): Promise<readonly SwitchedLayer[]>
  /** Resolves when the change is in force. */
  setLayers(change: { readonly on?: readonly string[]; readonly off?: readonly string[] }): Promise<unknown>
}

export interface PeelRunOptions extends Pick<RunOptions, 'root' | 'parallel' | 'signal'> {
  /** Told before the scenarios of a setting run, and before the layers are put back. */
  readonly onSetting?: (setting: Setting, index: number, of: number) => void
  readonly onRestore?: (before: readonly LayerState[]) => void
  readonly onResult?: (result: ScenarioResult) => void
}

/** Nothing was switched, since a layer is half there, and could not be put back so. */
export class HalfThere extends Error {
  override readonly name = 'HalfThere'
}

/** The layers could not be put back: what was to be on, and what the target said. */
export class NotPutBack extends Error {
  override readonly name = 'NotPutBack'
}

/**
 * The suite, really run in every setting. The layers are put back as they were, whatever happens.
 * @throws HalfThere; what `runScenarios` and the target throw, and the signal's reason when it is aborted; above all of them NotPutBack
 */
export async function peelOnTarget(
  target: LayeredTarget,
  scenarios: readonly Scenario[],
  { onSetting, onRestore, ...run }: PeelRunOptions,
): Promise<Peeled> {
  run.signal?.throwIfAborted()
  const before = await target.layers()
  const half = before.find(isHalf)
  if (half !== undefined) throw new HalfThere(halfText(half, target.name))
  const layers = before.map(({ name }) => name)
  const all = settingsOf(layers)
  const settings: Peeled['settings'][number][] = []
  try {
    for (const [index, setting] of all.entries()) {
      await switchTo(target, setting.on)
      run.signal?.throwIfAborted()
      onSetting?.(setting, index, all.length)
      const { results } = await runScenarios(target, scenarios, run)
      const fates = new Map(results.map((result) => [result.scenario.id, fateOfResult(result)]))
      settings.push({ setting, fates })
    }
  } catch (error) {
    await putBack(target, before, onRestore, error)
    throw error
  }
  await putBack(target, before, onRestore)
  return { by: target.name, layers, settings }
}

const isHalf = ({ on, objects, missing }: SwitchedLayer): boolean =>
  !on && missing !== undefined && missing.length < objects

const halfText = ({ name, objects, missing = [] }: SwitchedLayer, on: Target['name']): string =>
  `${name} is half there (${missing.length} of its ${objects} objects are missing), and could not be put back like that; switch it on or off first, with \`npx bulkhead layer${on === 'kind' ? ' --on kind' : ''}\`.`

/** Names only what is otherwise now: a cluster is told all of a layer's objects anew, and asked when it has them. */
async function switchTo(target: LayeredTarget, wanted: readonly string[]): Promise<void> {
  const now = await target.layers()
  const on = now.filter((layer) => !layer.on && wanted.includes(layer.name))
  const off = now.filter((layer) => (layer.on || isHalf(layer)) && !wanted.includes(layer.name))
  if (on.length + off.length === 0) return
  await target.setLayers({ on: on.map(({ name }) => name), off: off.map(({ name }) => name) })
}

async function putBack(
  target: LayeredTarget,
  before: readonly LayerState[],
  onRestore: PeelRunOptions['onRestore'],
  cause?: unknown,
): Promise<void> {
  const on = before.filter((layer) => layer.on).map(({ name }) => name)
  onRestore?.(before)
  try {
    await switchTo(target, on)
  } catch (error) {
    const why = cause === undefined ? '' : ` It had ended with: ${asMessage(cause)}`
    const message = `the layers could not be put back as they were (on: ${on.join(', ') || 'none'}): ${asMessage(error)}`
    throw new NotPutBack(`${message.replace(/\.?$/, '.')}${why}`, { cause: cause ?? error })
  }
}
