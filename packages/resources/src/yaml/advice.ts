/*
 * The parser says what it stumbled on; this says what is likely wrong with the file. By the parser's own codes.
 */

const BY_CODE: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'indent with spaces',
  BAD_INDENT: 'look at the indentation of this line and of the one above',
  BLOCK_AS_IMPLICIT_KEY: 'put a value that holds ": " in quotes, or look at the indentation',
  MULTILINE_IMPLICIT_KEY: 'a ":" may be missing, or the indentation be wrong',
}

/** What to do about it, as the end of a sentence; empty when there is nothing that helps. */
export function adviceFor(code: string, text: string, offset: number): string {
  const line = text.slice(text.lastIndexOf('\n', Math.max(offset - 1, 0)) + 1).split('\n', 1)[0] ?? ''
  if (line.includes('{{')) return '; this is a Helm template: render it with `helm template` first'
  if (code === 'MISSING_CHAR') return '; a quote or bracket was opened above and not closed'
  const advice = BY_CODE[code]
  return advice === undefined ? '' : `; ${advice}`
}
