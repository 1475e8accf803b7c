/** Numbers of the API in words, and times as people read them. */

export const userStatusWords = (status: number): string =>
  ({ 1: 'Active', 2: 'Inactive', 3: 'Must change the password' })[status] ?? `Unknown (${status})`

export const intentStateWords = (state: number): string =>
  ({ 0: 'Unknown', 1: 'Waiting', 2: 'Sent' })[state] ?? `Unknown (${state})`

const units = [
  [1_000_000_000, 's'],
  [1_000_000, 'ms'],
  [1_000, 'µs'],
] as const

/** Nanoseconds in the largest unit that is not a fraction of one: `20 ms`, `1.5 s`. */
export function durationWords(ns: number): string {
  if (!Number.isFinite(ns)) return ''
  for (const [size, unit] of units) if (ns >= size) return `${Number((ns / size).toFixed(3))} ${unit}`
  return `${ns} ns`
}

export function priorityWords(priority: number): string {
  if (!Number.isInteger(priority) || priority < 0 || priority > 20) return ''
  return priority < 10 ? 'may pre-empt others' : priority === 10 ? 'the usual' : 'weaker than the usual'
}

const two = (value: number): string => String(value).padStart(2, '0')

/** A time of the API in the reader's own time zone: `2026-01-31 14:05:09`. */
export function timeWords(text: string): string {
  const time = new Date(text)
  if (Number.isNaN(time.getTime())) return text
  const date = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`
  return `${date} ${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`
}

/** How long ago: `12 s ago`. */
export function agoWords(text: string, now: number): string {
  const seconds = Math.max(0, Math.round((now - Date.parse(text)) / 1_000))
  if (Number.isNaN(seconds)) return text
  if (seconds < 120) return `${seconds} s ago`
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min ago`
  return `${Math.round(seconds / 3_600)} h ago`
}

export const plural = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`

/** The end of an id: enough to tell two of them apart. */
export const shortId = (id: string): string => id.slice(-6)

/** What something was done to, with the end of its id: `users/…b3feea`. */
export const targetWords = (target: string): string =>
  target.replace(/\/([0-9a-f]{24})$/, (_, id: string) => `/…${shortId(id)}`)

/** What became of a strategy: for how many pods, and which of their schedulers know. */
export const receiptWords = ({
  intents,
  pushed,
  pending,
}: {
  intents: number
  pushed: number
  pending: number
}): string =>
  pending === 0
    ? `It is for ${plural(intents, 'pod')}, and ${intents === 1 ? 'the scheduler of its node knows' : 'the schedulers of all their nodes know'}.`
    : `It is for ${plural(intents, 'pod')}: of ${pushed} the node’s scheduler knows, of ${pending} not yet. The manager goes on telling them.`
