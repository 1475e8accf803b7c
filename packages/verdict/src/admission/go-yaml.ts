/*
 * How Go's YAML library writes a map of maps of strings, as Kyverno's answer to a refused request holds one: keys sorted,
 * two spaces, quotes only where a plain scalar would be read as something else.
 */

/** `{a: {b: 'c: d'}}` as block YAML, a line each. */
export function goYaml(map: Readonly<Record<string, Readonly<Record<string, string>>>>): string {
  const keys = (one: object): string[] => Object.keys(one).sort()
  return keys(map)
    .map((outer) => {
      const inner = map[outer] ?? {}
      const lines = keys(inner).map((key) => `  ${scalar(key, 4)}: ${scalar(inner[key] ?? '', 4)}\n`)
      return `${scalar(outer, 2)}:\n${lines.join('')}`
    })
    .join('')
}

/** A string that YAML 1.1 reads as something else when nothing stands around it. */
const otherTypes = new RegExp(
  `^(?:${[
    `~|null|true|false|yes|no|on|off|y|n|<<|=`,
    `[-+]?0(?:x[0-9a-f_]+|o?[0-7_]+|b[01_]+)`,
    String.raw`[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9]*)?)(?:e[-+]?[0-9]+)?`,
    String.raw`[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?`,
    String.raw`[-+]?\.(?:inf|nan)`,
    String.raw`\d{4}-\d\d?-\d\d?.*`,
  ].join('|')})$`,
  'i',
)

function scalar(text: string, indent: number): string {
  if (text.includes('\n')) return literal(text, indent)
  if (text === '' || otherTypes.test(text)) return JSON.stringify(text)
  if (isPlain(text)) return text
  // Quotes in pairs cannot hold what is not to be seen.
  return /[\p{Cc}\u2028\u2029]/u.test(text) ? JSON.stringify(text) : `'${text.replaceAll("'", "''")}'`
}

function isPlain(text: string): boolean {
  if (/^[\s]|[\s]$/.test(text) || /^(?:---|\.\.\.)/.test(text)) return false
  if (/^[,[\]{}#&*!|>'"%@`]/.test(text) || /^[-?:](?:\s|$)/.test(text)) return false
  return !/:(?:\s|$)|\s#|[\p{Cc}\u2028\u2029]/u.test(text)
}

function literal(text: string, indent: number): string {
  const keep = text.endsWith('\n\n') || text === '\n' ? '+' : text.endsWith('\n') ? '' : '-'
  const lead = /^[ \n]/.test(text) ? String(2) : ''
  const body = text.replace(/\n$/, '').split('\n')
  return `|${lead}${keep}\n${body.map((line) => (line === '' ? '' : ' '.repeat(indent) + line)).join('\n')}`
}
