import { escaped } from '../markdown.js'
import { namesOf } from '../names.js'
import { type Group, groupsOf } from './groups.js'
import { headline } from './render.js'
import type { PolicyDiff } from './types.js'

/** What a change does, as a comment on a pull request: GitHub's Markdown. */
export function diffMarkdown(diff: PolicyDiff): string {
  const { objects } = diff
  const parts = [`**${escaped(headline(diff))}**`]
  const rows = groupsOf(diff).map(row)
  if (rows.length > 0) {
    const table = ['| | from | to | now | before |', '|:-:|---|---|---|---|', ...rows]
    parts.push(table.join('\n'))
    const lists = [
      ['added', objects.added],
      ['changed', objects.changed],
      ['removed', objects.removed],
    ] as const
    const listed = lists.filter(([, ids]) => ids.length > 0)
    if (listed.length > 0) {
      parts.push(listed.map(([what, ids]) => `- objects ${what}: ${ids.map(escaped).join(', ')}`).join('\n'))
    }
  }
  return `${parts.join('\n\n')}\n`
}

const words: Readonly<Record<Group['sign'], string>> = { '+': '➕', '-': '➖', '~': '~' }

function row({ sign, from, to, now, before, sees }: Group): string {
  const seen = sees === undefined ? '' : `<br>seen: ${escaped(sees)}`
  const cells = [
    words[sign],
    from.map(escaped).join('<br>'),
    namesOf(to).map(escaped).join('<br>'),
    `${escaped(now)}${seen}`,
    escaped(before),
  ]
  return `| ${cells.join(' | ')} |`
}
