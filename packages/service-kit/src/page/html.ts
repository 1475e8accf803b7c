/** Text that is HTML already. Only {@link html} makes it. */
export class Html {
  readonly #text: string

  /** @internal what {@link html} has put together */
  constructor(text: string) {
    this.#text = text
  }

  toString(): string {
    return this.#text
  }
}

export type Value = Html | string | number | undefined | readonly Value[]

/**
 * HTML from a template: what stands in the template is markup, and every value is text, escaped, unless it came out of this
 * function itself. Values belong between tags, or between the double quotes of an attribute.
 */
export function html(strings: TemplateStringsArray, ...values: readonly Value[]): Html {
  return new Html(strings.reduce((out, part, index) => `${out}${written(values[index - 1])}${part}`))
}

function written(value: Value): string {
  if (value instanceof Html) return value.toString()
  if (value === undefined) return ''
  if (typeof value === 'object') return value.map(written).join('')
  return escapeText(String(value))
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Text as it stands between tags, and between the quotes of an attribute. */
export const escapeText = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
