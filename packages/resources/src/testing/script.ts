import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { mutate, type Random } from './random.js'

/** What a client does on a connection, one after the other. */
export type Step =
  | { readonly do: 'send'; readonly bytes: Buffer }
  /** Waits: a slow client. */
  | { readonly do: 'wait'; readonly ms: number }
  /** Ends its half, and still reads. */
  | { readonly do: 'end' }
  /** Is gone, whatever is on its way. */
  | { readonly do: 'drop' }

export type Script = readonly Step[]

export const send = (bytes: Buffer | string): Step => ({
  do: 'send',
  bytes: typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes,
})

/** Sends in one piece, in a few, or byte by byte, and sometimes slowly. */
export function inPieces(random: Random, bytes: Buffer): Step[] {
  if (random.below(3) > 0) return [send(bytes)]
  const steps: Step[] = []
  let at = 0
  while (at < bytes.length && steps.length < 24) {
    const size = random.once(3) ? 1 : 1 + random.below(bytes.length)
    steps.push(send(bytes.subarray(at, at + size)))
    if (random.once(4)) steps.push({ do: 'wait', ms: random.below(4) })
    at += size
  }
  if (at < bytes.length) steps.push(send(bytes.subarray(at)))
  return steps
}

/** Good messages as a bad client sends them: some broken, left out, doubled or in another order; and how it goes away. */
export function broken(random: Random, good: readonly Buffer[]): Step[] {
  const messages = good.flatMap((message) => {
    const kind = random.below(10)
    if (kind === 0) return []
    if (kind === 1) return [message, message]
    if (kind === 2) return [random.bytes(random.below(200))]
    return [kind < 6 ? mutate(random, message) : message]
  })
  if (random.once(10)) messages.reverse()
  return [...messages.flatMap((message) => inPieces(random, message)), ...leaving(random)]
}

export function leaving(random: Random): Step[] {
  const kind = random.below(4)
  if (kind === 0) return [{ do: 'end' }]
  if (kind === 1) return [{ do: 'drop' }]
  return kind === 2 ? [{ do: 'end' }, { do: 'wait', ms: random.below(6) }] : []
}

/**
 * Plays a script, and takes what comes until the other side hangs up; it is waited for at most `patienceMs` after the
 * last step, and then left. Resolves with what came.
 */
export async function play(
  stream: Duplex,
  script: Script,
  patienceMs: number,
  leave: () => void = () => void stream.destroy(),
): Promise<Buffer> {
  const came: Buffer[] = []
  const closed = new Promise<void>((resolve) => {
    stream.on('error', () => {}).once('close', resolve)
    if (stream.destroyed) resolve()
  })
  stream.on('data', (chunk: Buffer) => came.push(chunk))
  for (const step of script) {
    if (stream.destroyed) break
    if (step.do === 'wait') await delay(step.ms)
    else if (step.do === 'drop') leave()
    else if (stream.writableEnded) break
    else if (step.do === 'end') stream.end()
    else stream.write(step.bytes)
  }
  const patience = setTimeout(leave, patienceMs)
  await closed
  clearTimeout(patience)
  return Buffer.concat(came)
}

/**
 * Leaves as a crashed client does. While an end is on its way libuv cannot reset, and Node would leave the handle open for
 * good: there the end is all that can be told.
 */
export function resetSafely(socket: Socket): void {
  if (socket.connecting || (socket.writableEnded && !socket.writableFinished)) socket.destroy()
  else socket.resetAndDestroy()
}

/** Without some of its steps, and with shorter ones. */
export function* smallerScript(script: Script): Generator<Script> {
  for (let size = script.length; size >= 1; size = Math.floor(size / 2))
    for (let at = 0; at + size <= script.length; at += size) yield [...script.slice(0, at), ...script.slice(at + size)]
  for (const [at, step] of script.entries()) {
    if (step.do !== 'send') continue
    const { bytes } = step
    for (let size = bytes.length >> 1; size >= 1; size >>= 1)
      for (let cut = 0; cut < bytes.length; cut += size) {
        const left = Buffer.concat([bytes.subarray(0, cut), bytes.subarray(cut + size)])
        yield [...script.slice(0, at), { do: 'send', bytes: left }, ...script.slice(at + 1)]
      }
  }
}

export const printScript = (script: Script): string =>
  script
    .map((step) => {
      if (step.do === 'wait') return `wait ${step.ms} ms`
      return step.do === 'send' ? `send ${printBytes(step.bytes)}` : step.do
    })
    .join(', ')

/** As a JavaScript expression. */
const printBytes = (bytes: Buffer): string =>
  JSON.stringify(bytes.toString('latin1')).replace(
    /((?:\\u....|\\?.){1,12}?)\1{15,}/g,
    (all, one: string) => `" + "${one}".repeat(${all.length / one.length}) + "`,
  )

const delay = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
