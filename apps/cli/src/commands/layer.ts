import type { LayerState } from '@bulkhead/scenarios'
import type { Command } from 'commander'
import { sameTarget } from '../given.js'
import { CliError, type Io, print, printable, printJson } from '../io.js'
import { type JsonOption, type OnOption, type StateOption, withHelp, withJson, withOn, withState } from '../options.js'
import { styleOf } from '../style.js'
import { changedLines, scanLines } from '../target/event-text.js'
import { findRunning, type Switched } from '../target/running.js'
import { table } from '../target/table.js'

type LayerOptions = JsonOption & StateOption & OnOption

export function register(program: Command, io: Io): void {
  const command = program
    .command('layer')
    .description('Take a wall of the running target down, put it back, or list them all. k8s/ is never changed.')
    .argument('[change]', 'on or off')
    .argument('[name]', 'a layer, by name or by the part that tells it: 50-identity, 50, identity')
    .action((change: string | undefined, name: string | undefined, options: LayerOptions) =>
      layer(change, name, options, io),
    )
  withHelp(withJson(withOn(withState(command))), {
    examples: [
      'npx bulkhead layer',
      'npx bulkhead layer off 50-identity',
      'npx bulkhead layer on 50-identity',
      'npx bulkhead layer off 50-identity --on kind',
    ],
    exit: '0, or 2 when there is no such layer or nothing is up.',
  })
}

async function layer(
  change: string | undefined,
  name: string | undefined,
  options: LayerOptions,
  io: Io,
): Promise<void> {
  const target = await findRunning(io, options)
  const where = sameTarget(options)
  if (change === undefined) {
    const layers = await target.layers()
    if (options.json === true) printJson(io, { layers })
    else print(io, layersText(layers, where))
    return
  }
  if ((change !== 'on' && change !== 'off') || name === undefined) {
    throw new CliError('write `npx bulkhead layer`, `npx bulkhead layer off NAME` or `npx bulkhead layer on NAME`.')
  }
  const before = await target.layers()
  const changed = await target.setLayers({ [change]: [name] })
  if (options.json === true) printJson(io, changed)
  else print(io, changedText(before, changed, { name, where }, io))
}

function layersText(layers: readonly LayerState[], where: string): string {
  if (layers.length === 0) return 'the manifests have no layers.'
  const rows = layers.map((layer) => [layer.name, stateOf(layer), String(layer.objects)])
  return [table([['layer', 'is', 'objects'], ...rows]), ...layers.flatMap((layer) => besideFiles(layer, where))].join(
    '\n',
  )
}

/** With some of its objects gone a wall has a gap, and cannot be counted on. */
function stateOf({ on, objects, missing = [] }: LayerState): string {
  if (on) return 'on'
  return missing.length > 0 && missing.length < objects ? 'PARTLY' : 'OFF'
}

/** What of a layer is not on the cluster as its files say. */
function besideFiles(layer: LayerState, where: string): readonly string[] {
  const { name, missing = [], drifted = [] } = layer
  return [
    ...(stateOf(layer) === 'PARTLY'
      ? [`${name} lacks ${missing.join(', ')}; npx bulkhead layer on ${name}${where}`]
      : []),
    ...(drifted.length === 0 ? [] : [`${name}: not as the files say: ${drifted.join(', ')}`]),
  ]
}

function changedText(
  before: readonly LayerState[],
  changed: Switched,
  { name, where }: { readonly name: string; readonly where: string },
  io: Io,
): string {
  const { layers, closed } = changed
  const style = styleOf(io)
  const moved = layers.filter((after) => before.find((layer) => layer.name === after.name)?.on !== after.on)
  if (moved.length === 0) return `nothing to do: ${name} is as you want it already.\n${layersText(layers, where)}`
  const said = moved.map(({ name: which, on: isOn, objects }) =>
    isOn
      ? style.green(`${which} is up again: its ${objects} objects are enforced.`)
      : style.yellow(
          `${which} is down: its ${objects} objects are not enforced until \`npx bulkhead layer on ${which}${where}\`.`,
        ),
  )
  // What it opened and closed is known where it comes into force all at once.
  const lines = closed === undefined ? [] : [...changedLines({ ...changed, closed }), ...scanLines(changed)]
  const told = lines.length === 0 ? [] : [printable(lines.join('\n'))]
  return [...said, ...told, layersText(layers, where), `See what that changes: npx bulkhead attack${where}`].join('\n')
}
