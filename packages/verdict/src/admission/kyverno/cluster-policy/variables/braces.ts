/*
 * Finding `{{ ... }}` in a text. A variable holds no braces but those of one object inside of it, so that of nested ones
 * the inner comes first; one behind a backslash is none.
 */

export interface Found {
  readonly start: number
  /** Behind its last brace. */
  readonly end: number
  /** Between the braces, trimmed. */
  readonly text: string
  /** `{{- x }}`: what it holds is text, and no variable again. */
  readonly shallow: boolean
}

/** The first variable at or behind `from`, in one pass. */
export function findVariable(text: string, from = 0): Found | undefined {
  for (let start = text.indexOf('{{', from); start !== -1; start = text.indexOf('{{', start + 1)) {
    if (start > 0 && text[start - 1] === '\\') continue
    const end = endOf(text, start + 2)
    if (end !== undefined) return { start, end, ...inside(text.slice(start, end)) }
  }
  return undefined
}

export function allVariables(text: string): readonly Found[] {
  const found: Found[] = []
  for (let next = findVariable(text); next !== undefined; next = findVariable(text, next.end)) found.push(next)
  return found
}

function endOf(text: string, from: number): number | undefined {
  for (let at = from; at < text.length; at++) {
    if (text[at] === '}') return text[at + 1] === '}' ? at + 2 : undefined
    if (text[at] !== '{') continue
    at = closing(text, at + 1)
    if (at === -1) return undefined
  }
  return undefined
}

/** Of a brace that holds none itself. */
function closing(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    if (text[at] === '}') return at
    if (text[at] === '{') return -1
  }
  return -1
}

function inside(written: string): { readonly text: string; readonly shallow: boolean } {
  const text = written.replaceAll('{{', '').replaceAll('}}', '').trim()
  return text.startsWith('-') ? { text: text.slice(1).trim(), shallow: true } : { text, shallow: false }
}
