import { settingText } from './settings.js'
import type { Fate, Finding, LayerPeel, Peel } from './types.js'

/** The same for programs: keys keep their order, ids that of the suite. */
export interface PeelJson {
  readonly by: Peel['by']
  readonly attacks: number
  readonly legitimate: number
  readonly layers: readonly LayerPeel[]
  readonly alwaysStopped: readonly string[]
  readonly notTried: readonly string[]
  readonly findings: readonly Finding[]
  /** Of each way to have the layers: what every scenario came to. */
  readonly settings: readonly {
    readonly setting: string
    readonly on: readonly string[]
    readonly scenarios: Readonly<Record<string, Omit<Fate, 'differences'>>>
  }[]
}

export function peelJson({ attacks, legitimate, settings, ...rest }: Peel): PeelJson {
  const { by, layers, alwaysStopped, notTried, findings } = rest
  return {
    by,
    attacks: attacks.length,
    legitimate: legitimate.length,
    layers,
    alwaysStopped,
    notTried,
    findings,
    settings: settings.map(({ setting, fates }) => ({
      setting: settingText(setting),
      on: setting.on,
      // What differs is among the findings.
      scenarios: Object.fromEntries([...fates].map(([id, { differences: _, ...fate }]) => [id, fate])),
    })),
  }
}
