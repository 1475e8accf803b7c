import { columns, type Paint } from '../render/layout.js'
import type { LayerPeel, Peel } from './types.js'

const marks = { only: '●', also: '○', open: '·', untried: '-' } as const

/** A row for each attack, a column for each layer: what it does by itself. */
export function drawGrid({ attacks, layers }: Peel, style: Paint): readonly string[] {
  const rows = attacks.map((id) => [id, ...layers.map((layer) => mark(id, layer))])
  const [head = '', ...lines] = columns([['', ...shortNames(layers.map(({ layer }) => layer))], ...rows])
  const legend = `${marks.only} only it stops it  ${marks.also} so do others  ${marks.open} lets it by  ${marks.untried} nothing to try with it alone`
  return [style.faint(head), ...lines, style.faint(legend)]
}

function mark(id: string, { without, alone, ownDoor }: LayerPeel): string {
  if (without.through.includes(id) || ownDoor.includes(id)) return marks.only
  if (alone.stops.includes(id)) return marks.also
  return alone.notTried.includes(id) ? marks.untried : marks.open
}

/** `20` of `20-network`, where no other begins so. */
function shortNames(names: readonly string[]): readonly string[] {
  const short = names.map((name) => name.split('-')[0] ?? name)
  return new Set(short).size === names.length ? short : names
}
