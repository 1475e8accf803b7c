import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import type { AdmissionTold, ErrorEnvelope } from './api.js'

/** A request that the target refused or could not be made. The message is a whole sentence. */
export class ControlError extends Error {
  readonly code: string
  /** Of `refused`: what admission said of each object of the change, in order. */
  readonly admissions: readonly AdmissionTold[]

  constructor(
    code: string,
    message: string,
    { admissions = [], ...options }: ErrorOptions & { readonly admissions?: readonly AdmissionTold[] | undefined } = {},
  ) {
    super(message, options)
    this.name = 'ControlError'
    this.code = code
    this.admissions = admissions
  }
}

export interface Place {
  readonly url: string
  readonly token: string
  readonly limits?: Limits
}

/** How long an answer may take to begin, in ms. A target that does not answer at all was stopped by a signal, or hangs. */
export interface Limits {
  readonly answer: number
  /** A change may have to end pods and wait for new ones first. */
  readonly change: number
}

const defaultLimits: Limits = { answer: 10_000, change: 120_000 }

async function ask(
  place: Place,
  method: string,
  path: string,
  body: unknown,
  signal?: AbortSignal,
): Promise<IncomingMessage> {
  const text = body === undefined ? undefined : JSON.stringify(body)
  const asked = request(new URL(path, place.url), {
    method,
    headers: {
      authorization: `Bearer ${place.token}`,
      ...(text !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
    },
    ...(signal !== undefined && { signal }),
  })
  asked.end(text)
  const limits = place.limits ?? defaultLimits
  const limit = method === 'PUT' || method === 'DELETE' ? limits.change : limits.answer
  const timer = setTimeout(() => asked.destroy(new Error(`nothing within ${limit / 1000} s`)), limit)
  let response: IncomingMessage
  try {
    ;[response] = (await once(asked, 'response')) as [IncomingMessage]
  } catch (error) {
    if (signal?.aborted === true) throw error
    const { code = '' } = error as NodeJS.ErrnoException
    const why = code || (error instanceof Error ? error.message : String(error))
    throw new ControlError('unreachable', `the target at ${place.url} does not answer (${why}).`, { cause: error })
  } finally {
    clearTimeout(timer)
  }
  if ((response.statusCode ?? 500) < 400) return response
  const said = await textOf(response)
  let failure: Partial<ErrorEnvelope['error']> = {}
  try {
    failure = (JSON.parse(said) as ErrorEnvelope).error
  } catch {
    // Whatever answers there is not the target.
  }
  throw new ControlError(
    failure.code ?? 'unreachable',
    failure.message ?? `the target at ${place.url} answered HTTP ${response.statusCode}.`,
    { admissions: failure.admissions },
  )
}

async function textOf(response: IncomingMessage): Promise<string> {
  response.setEncoding('utf8')
  let text = ''
  for await (const chunk of response) text += chunk
  return text
}

/** One request, one JSON answer. */
export async function json<T>(place: Place, method: string, path: string, body?: unknown): Promise<T> {
  const text = await textOf(await ask(place, method, path, body))
  return (text === '' ? undefined : JSON.parse(text)) as T
}

export interface ServerEvent {
  readonly event: string
  readonly data: unknown
}

/** One request, answered by server-sent events. Ends quietly when the signal is given; an `error` event is thrown. */
export async function* events(
  place: Place,
  method: string,
  path: string,
  body: unknown,
  signal: AbortSignal,
): AsyncGenerator<ServerEvent> {
  try {
    const response = await ask(place, method, path, body, signal)
    response.setEncoding('utf8')
    let rest = ''
    for await (const chunk of response) {
      const blocks = `${rest}${chunk}`.split('\n\n')
      rest = blocks.pop() ?? ''
      for (const block of blocks) {
        const parsed = parse(block)
        if (parsed === undefined) continue
        if (parsed.event === 'error') {
          const { code, message } = (parsed.data as ErrorEnvelope).error
          throw new ControlError(code, message)
        }
        yield parsed
      }
    }
  } catch (error) {
    if (signal.aborted) return
    if (error instanceof ControlError) throw error
    throw new ControlError('unreachable', `the target at ${place.url} ended while it was answering.`, { cause: error })
  }
}

/** A comment (a sign of life) has no data. */
function parse(block: string): ServerEvent | undefined {
  let event = 'message'
  let data: string | undefined
  for (const line of block.split('\n')) {
    if (line.startsWith('event: ')) event = line.slice(7)
    else if (line.startsWith('data: ')) data = line.slice(6)
  }
  return data === undefined ? undefined : { event, data: JSON.parse(data) }
}
