import { printable } from '@bulkhead/resources/printable'

/**
 * Text as XML and HTML take it, in an element or in a quoted attribute. Characters that neither has are shown as escapes, so that a
 * log's bytes cannot break a report; line breaks stay.
 */
export function escaped(text: string): string {
  return text.split('\n').map(escapedLine).join('\n')
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escapedLine(line: string): string {
  return printable(line)
    .replace(/[&<>"']/g, (character) => entities[character] ?? character)
    .replace(/\p{Surrogate}|[\uFFFE\uFFFF]/gu, '\uFFFD')
}
