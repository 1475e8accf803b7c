import { columns, type Paint } from '../render/layout.js'
import type { LayerPeel, Peel } from './types.js'
import { wrapped } from './wrapped.js'

/** What a layer does to an attack, and how it is drawn and told. */
const marks = {
  only: ['●', 'only it stops it'],
  also: ['○', 'so do others'],
  open: ['·', 'lets it by'],
  always: ['×', 'stopped by what no layer switches off'],
  untried: ['-', 'nothing to try with it alone'],
  unknown: ['?', 'not known'],
} as const

type Mark = keyof typeof marks
const kinds: readonly Mark[] = ['only', 'also', 'open', 'always', 'untried', 'unknown']

/** A row for each attack, a column for each layer: what it does by itself. */
export function drawGrid({ attacks, layers }: Peel, style: Paint): readonly string[] {
  const found = attacks.map((id) => layers.map((layer) => markOf(id, layer)))
  const rows = attacks.map((id, index) => [id, ...(found[index] ?? []).map((mark) => marks[mark][0])])
  const [head = '', ...lines] = columns([['', ...shortNames(layers.map(({ layer }) => layer))], ...rows])
  const drawn = new Set(found.flat())
  const legend = kinds.filter((mark) => drawn.has(mark)).map((mark) => marks[mark].join(' '))
  return [style.faint(head), ...lines, ...wrapped(legend, '  ').map((line) => style.faint(line))]
}

function markOf(id: string, { without, alone, ownDoor }: LayerPeel): Mark {
  if (without.through.includes(id) || ownDoor.includes(id)) return 'only'
  if (alone.stops.includes(id)) return 'also'
  if (alone.through.includes(id)) return 'open'
  if (alone.notTried.includes(id)) return 'untried'
  return alone.unknown.includes(id) ? 'unknown' : 'always'
}

/** `20` of `20-network`, where no other begins so. */
function shortNames(names: readonly string[]): readonly string[] {
  const short = names.map((name) => name.split('-')[0] ?? name)
  return new Set(short).size === names.length ? short : names
}
