import type { Scenario } from '../types.js'
import { type Setting, settingText } from './settings.js'
import type { Fate, Fates, Finding, LayerPeel, Peel, Peeled } from './types.js'

/**
 * What each layer is for, from what scenarios come to with all layers on, with all but one, and with one alone.
 *
 * @param whole whether the scenarios are the whole suite. Of a part of it nothing can be said of a layer that stops nothing in it.
 */
export function peel(peeled: Peeled, scenarios: readonly Scenario[], whole: boolean): Peel {
  const attacks = scenarios.filter(({ kind }) => kind === 'attack')
  const legitimate = scenarios.filter(({ kind }) => kind === 'legitimate')
  const all = fatesIn(peeled, (setting) => setting.kind === 'all')
  const layers = peeled.layers.map((layer) => peelOne(layer, peeled, { attacks, legitimate, all }))
  return {
    by: peeled.by,
    attacks: idsOf(attacks),
    legitimate: idsOf(legitimate),
    layers,
    alwaysStopped: chosen(attacks, all, ({ outcome, by = [] }) => outcome === 'stopped' && by.length === 0),
    notTried: chosen(attacks, all, ({ outcome }) => outcome === 'not-tried'),
    findings: findingsIn(peeled, attacks, all, whole ? layers : []),
    settings: peeled.settings,
  }
}

interface Suite {
  readonly attacks: readonly Scenario[]
  readonly legitimate: readonly Scenario[]
  /** With all layers on. */
  readonly all: Fates
}

function peelOne(layer: string, peeled: Peeled, { attacks, legitimate, all }: Suite): LayerPeel {
  const without = fatesIn(peeled, (setting) => setting.kind === 'without' && setting.layer === layer)
  const alone = fatesIn(peeled, (setting) => setting.kind === 'alone' && setting.layer === layer)
  const stops = (fate: Fate | undefined): boolean => fate?.outcome === 'stopped' && fate.by?.includes(layer) === true
  const isOnlyWall = ({ expect: { walls } }: Scenario): boolean =>
    walls.length > 0 && walls.every((wall) => wall.layer === layer)
  const isOwnDoor = (attack: Scenario): boolean =>
    attack.needs?.includes(layer) === true && stops(alone.get(attack.id)) && isOnlyWall(attack)
  return {
    layer,
    decides: chosen(attacks, all, stops),
    without: {
      through: chosen(attacks, without, is('through'), (id) => all.get(id)?.outcome === 'stopped'),
      notTried: chosen(attacks, without, is('not-tried')),
      shut: chosen(
        legitimate,
        without,
        ({ outcome }) => outcome === 'stopped' || outcome === 'not-tried',
        (id) => all.get(id)?.outcome === 'through',
      ),
    },
    alone: {
      stops: chosen(attacks, alone, stops),
      through: chosen(attacks, alone, is('through')),
      notTried: chosen(attacks, alone, is('not-tried')),
      unknown: chosen(attacks, alone, is('unknown')),
    },
    ownDoor: idsOf(attacks.filter(isOwnDoor)),
    unmade: chosen(attacks.filter(isOnlyWall), all, is('not-tried')),
  }
}

/** Of a layer that nothing would be missed of. */
export function holdsNothing({ without, ownDoor }: LayerPeel): boolean {
  return without.through.length + ownDoor.length === 0
}

function findingsIn(
  { settings }: Peeled,
  attacks: readonly Scenario[],
  all: Fates,
  layers: readonly LayerPeel[],
): readonly Finding[] {
  const through = chosen(attacks, all, is('through')).map((scenario): Finding => ({ kind: 'through', scenario }))
  // One of whose own attacks none could be made is not known to hold nothing.
  const idle = layers
    .filter((one) => holdsNothing(one) && one.unmade.length === 0)
    .map(({ layer }): Finding => ({ kind: 'holds-nothing', layer }))
  const wrong = settings.flatMap(({ setting, fates }) =>
    [...fates].flatMap(([scenario, fate]) => wrongWith(scenario, setting, fate)),
  )
  return [...through, ...idle, ...wrong]
}

function wrongWith(
  scenario: string,
  setting: Setting,
  { outcome, because = '', differences }: Fate,
): readonly Finding[] {
  const where = { scenario, setting: settingText(setting) }
  if (outcome === 'unknown') return [{ kind: 'unknown', ...where, because }]
  return differences.length === 0 ? [] : [{ kind: 'different', ...where, differences }]
}

const is =
  (wanted: Fate['outcome']) =>
  ({ outcome }: Fate): boolean =>
    outcome === wanted

function fatesIn({ settings }: Peeled, wanted: (setting: Setting) => boolean): Fates {
  return settings.find(({ setting }) => wanted(setting))?.fates ?? new Map()
}

const idsOf = (scenarios: readonly Scenario[]): readonly string[] => scenarios.map(({ id }) => id)

function chosen(
  scenarios: readonly Scenario[],
  fates: Fates,
  wanted: (fate: Fate) => boolean,
  also: (id: string) => boolean = () => true,
): readonly string[] {
  return idsOf(scenarios).filter((id) => {
    const fate = fates.get(id)
    return fate !== undefined && wanted(fate) && also(id)
  })
}
