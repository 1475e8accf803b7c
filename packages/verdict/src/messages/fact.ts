import type { Step } from '../types.js'

export type Sentence = (step: Step) => string

/** A fact of a step, as it stands in a sentence. */
export const fact = (step: Pick<Step, 'facts'>, name: string): string => {
  const text = String(step.facts?.[name] ?? '?')
  return fromClient.has(name) ? cut(text) : text
}

const fromClient: ReadonlySet<string> = new Set(['request', 'host', 'location', 'sni', 'query'])

/** Paths, headers and names are the client's to choose, and may fill pages. */
export function cut(text: string): string {
  return text.length > 200 ? `${text.slice(0, 197)}...` : text
}
