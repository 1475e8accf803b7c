import type { Writable } from 'node:stream'

/**
 * Text broken between words where a terminal would break it anywhere. What follows a break is indented to the column that it
 * belongs to: the last one of a table, or the line's own beginning. A word (a path, an identity, a command in backticks) is never
 * broken, so that it can be copied.
 *
 * @param columns how wide the terminal is; undefined leaves the text as it is, for pipes and files.
 */
export function fit(text: string, columns: number | undefined): string {
  if (columns === undefined || columns < narrowest) return text
  return text
    .split('\n')
    .map((line) => (shownLength(line) <= columns ? line : fitLine(line, columns)))
    .join('\n')
}

/** The width of a terminal; undefined for everything else. Asked at each write, since windows are resized. */
export function columnsOf(stream: Writable): number | undefined {
  const { isTTY, columns } = stream as Writable & { readonly isTTY?: boolean; readonly columns?: number }
  return isTTY === true && columns !== undefined && columns > 0 ? columns : undefined
}

/** Narrower than this nothing can be laid out, and every break would be in the way. */
const narrowest = 40
/** A last column narrower than this is read more easily from the line's beginning on. */
const narrowestColumn = 22

// biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal's colours begin with this one
const colours = /\u001b\[[\d;]*m/g
const shownLength = (text: string): number => text.replace(colours, '').length

function fitLine(line: string, columns: number): string {
  const plain = line.replace(colours, '')
  const beginning = plain.search(/\S/)
  let hang = lastColumn(plain, columns) ?? beginning
  const lines: string[] = []
  let current = ''
  let length = 0
  for (const [, gap = '', word = ''] of line.matchAll(/(\s*)((?:`[^`]+`|\S)+)/g)) {
    const width = shownLength(word)
    // What a list's dash is for stays with it.
    if (length > 0 && current.trim() !== '-' && length + gap.length + width > columns) {
      lines.push(current)
      // A word too long for its column moves left, where there may be room, and what follows it stays with it.
      if (hang + width > columns) hang = Math.min(hang, beginning + 4)
      current = `${' '.repeat(hang)}${word}`
      length = hang + width
    } else {
      current += gap + word
      length += gap.length + width
    }
  }
  return [...lines, current].join('\n')
}

/** Where the last column begins that leaves room enough to write in it. */
function lastColumn(plain: string, columns: number): number | undefined {
  const starts = [...plain.matchAll(/\S {2,}(?=\S)/g)].map(({ index, 0: gap }) => index + gap.length)
  return starts.filter((start) => start <= columns - narrowestColumn).at(-1)
}
