import type { Given } from '../objects/read.js'

/** Objects of one file, and one text that holds them all, each in its lines. */
export interface Together {
  readonly text: string
  readonly of: readonly Given[]
}

/**
 * Objects that stand behind one another in a file are one text, so that they need not be asked about one by one: each question
 * is about everything that was given. What has no room between two others begins a text of its own.
 */
export function together(given: readonly Given[]): readonly Together[] {
  const all: Together[] = []
  let lines: string[] = []
  let of: Given[] = []
  const end = () => {
    if (of.length > 0) all.push({ text: `${lines.join('\n')}\n`, of })
    lines = []
    of = []
  }
  for (const one of given) {
    const own = (one.change.objects ?? '').replace(/\n$/, '').split('\n')
    const first = own.findIndex((line) => line !== '')
    const isMarked = /^---(\s|$)/.test(own[first] ?? '')
    const room = isMarked ? 0 : 1
    if (of[0]?.change.file !== one.change.file || first < lines.length + room) end()
    if (of.length > 0 && !isMarked) lines[first - 1] = '---'
    for (const [index, line] of own.entries()) if (index >= lines.length) lines[index] = line
    for (let index = 0; index < first; index++) lines[index] ??= ''
    of.push(one)
  }
  end()
  return all
}
