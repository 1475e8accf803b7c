import { escaped } from '../markdown.js'
import { tableOf } from './table.js'
import type { Matrix } from './types.js'

/** How many columns a page of GitHub shows without scrolling. */
const markdownColumns = 8

/** A matrix as tables in GitHub's Markdown. */
export function matrixMarkdown(matrix: Matrix): string {
  const { columns, rows, legend } = tableOf(matrix)
  const tables: string[] = []
  for (let from = 0; from < columns.length; from += markdownColumns) {
    const range = [from, from + markdownColumns] as const
    const heads = columns.slice(...range)
    tables.push(
      [
        ['from', ...heads.map(escaped)],
        ['---', ...heads.map(() => ':-:')],
        ...rows.map(({ sources, signs }) => [sources.map(escaped).join('<br>'), ...signs.slice(...range)]),
      ]
        .map((cells) => `| ${cells.join(' | ')} |`)
        .join('\n'),
    )
  }
  if (tables.length === 0) return 'Nothing is there that could be called.\n'
  return `${[...tables, legend.map(({ sign, says }) => `${sign} ${says}`).join('; ')].join('\n\n')}\n`
}
