import { type Table, tableOf } from './table.js'
import type { Matrix } from './types.js'

export interface MatrixRenderOptions {
  /** How wide a line may be. Default: 110. */
  readonly columns?: number
}

/** Columns of the table: two letters and a space. */
const cell = 3
const gap = 2

/**
 * A matrix as a table. Each column's name begins above it, one line for each, so that no name is cut; what does not fit
 * beside each other is drawn as several tables, one below the other.
 */
export function renderMatrix(matrix: Matrix, { columns: width = 110 }: MatrixRenderOptions = {}): string {
  const table = tableOf(matrix)
  if (table.columns.length === 0) return 'nothing is there that could be called: no port of any Service or pod\n'
  if (table.rows.length === 0) return 'nobody is there who could call\n'
  const labels = table.rows.map(({ sources }) => wrapped(sources, Math.floor(width * 0.4)))
  const indent = Math.max(...labels.flat().map((line) => line.length)) + gap
  const blocks = blocksOf(table.columns, width - indent).map(([from, to]) => drawBlock(table, labels, indent, from, to))
  const legend = table.legend.map(({ sign, says }) => `${sign} ${says}`)
  return `${[...blocks, wrapped(legend, width, '   ').join('\n')].join('\n\n')}\n`
}

function drawBlock(
  { columns, rows }: Table,
  labels: readonly (readonly string[])[],
  indent: number,
  from: number,
  to: number,
): string {
  const heads = columns.slice(from, to).map((name, index) => {
    const stems = `│${' '.repeat(cell - 1)}`.repeat(index)
    return `${' '.repeat(indent)}${stems}${name}`
  })
  const drawn = rows.flatMap(({ signs }, index) => {
    const [label = '', ...more] = labels[index] ?? []
    const marks = signs.slice(from, to).map((sign) => sign.padEnd(cell))
    return [`${label.padEnd(indent)}${marks.join('')}`.trimEnd(), ...more]
  })
  return [...heads, ...drawn].join('\n')
}

/** Runs of columns that fit: the last one's name must, too. At least one column each. */
function blocksOf(names: readonly string[], room: number): readonly (readonly [from: number, to: number])[] {
  const blocks: [number, number][] = []
  for (let from = 0; from < names.length; ) {
    let to = from + 1
    while (to < names.length && (to - from) * cell + (names[to]?.length ?? 0) <= room) to++
    blocks.push([from, to])
    from = to
  }
  return blocks
}

/** Words in lines of at most that width; the later lines are indented. A word is never broken. */
function wrapped(words: readonly string[], width: number, separator = ', '): readonly string[] {
  const lines: string[] = []
  let line = ''
  words.forEach((word, index) => {
    const end = index < words.length - 1 ? separator : ''
    if (line !== '' && (line + word + end).trimEnd().length > width) {
      lines.push(line.trimEnd())
      line = separator === ', ' ? '  ' : ''
    }
    line += word + end
  })
  return [...lines, line.trimEnd()]
}
