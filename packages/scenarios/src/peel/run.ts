import type { ScenarioResult } from '../result.js'
import { type RunOptions, runScenarios } from '../runner.js'
import { asMessage } from '../stage.js'
import type { LayerState, Scenario, Target } from '../types.js'
import { fateOfResult } from './fate.js'
import { type Setting, settingsOf } from './settings.js'
import type { Peeled } from './types.js'

/** A target whose layers can be switched while it runs. */
export interface LayeredTarget extends Target {
  /** Resolves when the change is in force. */
  setLayers(change: { readonly on?: readonly string[]; readonly off?: readonly string[] }): Promise<unknown>
}

export interface PeelRunOptions extends Pick<RunOptions, 'root' | 'parallel' | 'signal'> {
  /** Told before the scenarios of a setting run, and before the layers are put back. */
  readonly onSetting?: (setting: Setting, index: number, of: number) => void
  readonly onRestore?: (before: readonly LayerState[]) => void
  readonly onResult?: (result: ScenarioResult) => void
}

/** The layers could not be put back: what was to be on, and what the target said. */
export class NotPutBack extends Error {
  override readonly name = 'NotPutBack'
}

/**
 * The suite, really run in every setting. The layers are put back as they were, whatever happens.
 * @throws what `runScenarios` and the target throw, and the signal's reason when it is aborted; above all of them NotPutBack
 */
export async function peelOnTarget(
  target: LayeredTarget,
  scenarios: readonly Scenario[],
  { onSetting, onRestore, ...run }: PeelRunOptions,
): Promise<Peeled> {
  run.signal?.throwIfAborted()
  const before = await target.layers()
  const layers = before.map(({ name }) => name)
  const all = settingsOf(layers)
  const settings: Peeled['settings'][number][] = []
  try {
    for (const [index, setting] of all.entries()) {
      await target.setLayers(changeTo(setting.on, layers))
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

function changeTo(on: readonly string[], layers: readonly string[]): { readonly on: string[]; readonly off: string[] } {
  return { on: layers.filter((name) => on.includes(name)), off: layers.filter((name) => !on.includes(name)) }
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
    await target.setLayers(
      changeTo(
        on,
        before.map(({ name }) => name),
      ),
    )
  } catch (error) {
    const why = cause === undefined ? '' : ` It had ended with: ${asMessage(cause)}`
    const message = `the layers could not be put back as they were (on: ${on.join(', ') || 'none'}): ${asMessage(error)}`
    throw new NotPutBack(`${message.replace(/\.?$/, '.')}${why}`, { cause: cause ?? error })
  }
}
