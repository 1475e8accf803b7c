import type { ComponentChildren } from 'preact'
import type { Pages } from '../state/load.js'
import { Button } from './basics.js'

export interface Column<T> {
  readonly head: string
  readonly cell: (row: T) => ComponentChildren
  /** `tight`: what is short, and reads badly when it is broken. */
  readonly kind?: 'number' | 'actions' | 'first' | 'tight'
}

export interface TableProps<T> {
  /** What it is a table of: read out, and not shown. */
  readonly caption: string
  readonly columns: readonly Column<T>[]
  readonly rows: readonly T[]
  readonly keyOf: (row: T) => string
  /** It is being read again. */
  readonly busy?: boolean
}

/** The roles, said: a table that is laid out as blocks, as on a narrow screen, is none to some readers. */
const as = {
  table: { role: 'table' },
  group: { role: 'rowgroup' },
  row: { role: 'row' },
  head: { role: 'columnheader' },
  first: { role: 'rowheader' },
  cell: { role: 'cell' },
} as const

/** On a narrow screen each row is a card. */
export function Table<T>({ caption, columns, rows, keyOf, busy = false }: TableProps<T>) {
  return (
    <table {...as.table} aria-busy={busy}>
      <caption class="unseen">{caption}</caption>
      <thead {...as.group}>
        <tr {...as.row}>
          {columns.map(({ head, kind }) => (
            <th key={head} {...as.head} scope="col" class={kind}>
              {kind === 'actions' ? <span class="unseen">{head}</span> : head}
            </th>
          ))}
        </tr>
      </thead>
      <tbody {...as.group}>
        {rows.map((row) => (
          <tr key={keyOf(row)} {...as.row}>
            {columns.map(({ head, cell, kind }) =>
              kind === 'first' ? (
                <th key={head} {...as.first} scope="row" data-head={head} class={kind}>
                  <div>{cell(row)}</div>
                </th>
              ) : (
                <td key={head} {...as.cell} data-head={head} class={kind}>
                  <div>{cell(row)}</div>
                </td>
              ),
            )}
          </tr>
        ))}
      </tbody>
    </table>
  )
}

/** Which page of a list this is, and the way to the next one. Not there for a list of one page. */
export function Pager({
  pages: { number, earlier, later },
  what,
}: {
  readonly pages: Pick<Pages<unknown>, 'number' | 'earlier' | 'later'>
  readonly what: string
}) {
  if (earlier === undefined && later === undefined) return null
  return (
    <nav class="pager" aria-label={`Pages of ${what}`}>
      <Button disabled={earlier === undefined} onClick={() => earlier?.()}>
        Previous
      </Button>
      <span role="status">Page {number}</span>
      <Button disabled={later === undefined} onClick={() => later?.()}>
        Next
      </Button>
    </nav>
  )
}
