import type { Resource } from '@bulkhead/resources'
import { readBrought } from '../judge/brought.js'
import { type JudgeScenario, judgeWith, unexpected } from '../judge/judge.js'
import { asMessage } from '../stage.js'
import type { Scenario } from '../types.js'
import { missing } from '../walls.js'
import { fateOf } from './fate.js'
import { settingsOf } from './settings.js'
import type { Fate, Peeled } from './types.js'

/** Objects, and what scenarios bring along. */
export interface Ground {
  /** Workloads and every layer. */
  readonly resources: readonly Resource[]
  /** The folder that holds `scenarios/`: manifests that scenarios bring are read from there. */
  readonly root: string
  readonly signal?: AbortSignal
}

/**
 * The suite, judged by the engine in every setting. Nothing has to be up.
 * @throws what is wrong with a manifest that a scenario brings, and the signal's reason when it is aborted
 */
export async function peelByEngine(
  scenarios: readonly Scenario[],
  { resources, root, signal }: Ground,
): Promise<Peeled> {
  const brought = await readBrought(scenarios, root)
  const judge = judgeWith(resources, brought)
  const layers = [...new Set(resources.flatMap(({ layer }) => layer ?? []))].sort()
  const settings: Peeled['settings'][number][] = []
  for (const setting of settingsOf(layers)) {
    // Ctrl-C is heard between settings.
    await new Promise((resolve) => setImmediate(resolve))
    signal?.throwIfAborted()
    const fates = new Map(scenarios.map((scenario) => [scenario.id, fateWith(setting.on, scenario, judge)]))
    settings.push({ setting, fates })
  }
  return { by: 'engine', layers, settings }
}

function fateWith(on: readonly string[], scenario: Scenario, judge: JudgeScenario): Fate {
  const off = missing(scenario, new Set(on))
  if (off.length > 0) return notTried(`it needs ${off.join(' and ')}`)
  try {
    const view = judge(scenario, on)
    if (view === undefined) return notTried('it is no part of the network, so the engine has no word on it')
    return fateOf(view, unexpected(scenario, on, view))
  } catch (error) {
    return { outcome: 'unknown', because: asMessage(error), differences: [] }
  }
}

const notTried = (because: string): Fate => ({ outcome: 'not-tried', because, differences: [] })
