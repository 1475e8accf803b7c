import { existsSync, readFileSync } from 'node:fs'
import type { Observation, ResolvedAttempt } from '@bulkhead/scenarios'
import type { Place } from '../../place.js'
import { type Command, type CommandResult, ToolError, type Tools } from '../../tools.js'
import { messageOf, TargetError } from '../errors.js'
import { kubectl, valueAt } from '../live/index.js'
import { shellObservation, shellScript, shellWords } from './by-shell.js'
import { isObservation } from './observation.js'
import { type Caller, idOf, oneFile } from './where.js'

export interface AttemptOptions {
  /** Called when the first answer of a held connection has come; awaited before the attempt's end. */
  readonly held?: () => Promise<void>
  readonly signal?: AbortSignal
  /** What the client saw is all that is wanted: no log is read for it. */
  readonly records?: 'none'
}

export interface Made {
  readonly observation: Observation
  /** That it was begun again, and why. */
  readonly notes: readonly string[]
}

/** Beyond an attempt's own time: the exec's way to the node, node's start, and the end. */
const graceMs = 30_000
const mostTries = 3

/**
 * Makes an attempt by the program of a pod, or by this machine's own, and says what it saw. Only what kept the program from running is
 * tried again, and told: what it saw is the answer, whatever that is.
 * @throws TargetError `attempt-failed`
 */
export async function makeAttempt(
  caller: Extract<Caller, { readonly kind: 'probe' | 'owned' | 'shell' | 'outside' }>,
  attempt: ResolvedAttempt,
  { tools, place }: { readonly tools: Tools; readonly place: Place },
  options: AttemptOptions = {},
): Promise<Made> {
  const command = commandOf(caller, attempt, place)
  const name = caller.kind === 'outside' ? 'this machine' : idOf(caller.pod)
  const notes: string[] = []
  for (let tried = 1; ; tried += 1) {
    const said = await runOnce(tools, command, options, readBy(caller, attempt))
    if (said.observation !== undefined) return { observation: said.observation, notes }
    const why =
      said.stderr.trim().split('\n').slice(-2).join(' ') || `it ended with ${said.code ?? 'a signal'} and said nothing`
    if (tried === mostTries || said.held || !isTransport(said.stderr)) throw failed(name, said.code, why)
    notes.push(`made again (${tried + 1}), since the program could not be started in ${name}: ${why}`)
  }
}

function commandOf(caller: Parameters<typeof makeAttempt>[0], attempt: ResolvedAttempt, place: Place): Command {
  const text = JSON.stringify(attempt)
  const common = {
    timeoutMs: (attempt.timeoutMs ?? 0) + graceMs,
    ...((attempt.token ?? attempt.password) !== undefined && { secret: true }),
  }
  if (caller.kind === 'outside') return { tool: 'node', args: [programFile(place), 'attempt'], stdin: text, ...common }
  const { metadata } = caller.pod
  const exec = ['exec', '-i', '-n', metadata.namespace ?? 'default', metadata.name, '-c', caller.container, '--']
  if (caller.kind === 'shell')
    return kubectl(place, [...exec, ...shellWords(attempt)], { stdin: shellScript(attempt), ...common })
  return caller.kind === 'probe'
    ? kubectl(place, [...exec, 'node', '/app/dist/main.js', 'attempt'], { stdin: text, ...common })
    : kubectl(place, [...exec, 'node', '--input-type=module', '-'], { stdin: ownedProgram(text, place), ...common })
}

function programFile(place: Place): string {
  const file = oneFile(place)
  if (existsSync(file)) return file
  throw new TargetError('attempt-failed', `${file} is not there: npm run build makes it.`)
}

/** The program with its attempt before it, since stdin is the program then. */
function ownedProgram(attempt: string, place: Place): string {
  return `globalThis[Symbol.for('bulkhead.probe.attempt')]=${JSON.stringify(attempt)};\n${readFileSync(programFile(place), 'utf8')}`
}

interface Said {
  readonly code: number | undefined
  readonly stderr: string
  readonly observation?: Observation
  readonly held: boolean
}

/** How what it says is read, where it is not a line of JSON. */
const readBy =
  ({ kind }: Pick<Caller, 'kind'>, attempt: ResolvedAttempt) =>
  (result: CommandResult): Observation | undefined =>
    kind === 'shell' ? shellObservation(attempt, result) : undefined

async function runOnce(
  tools: Tools,
  command: Command,
  { held, signal }: AttemptOptions,
  read: (result: CommandResult) => Observation | undefined,
): Promise<Said> {
  let observation: Observation | undefined
  let changed: Promise<void> | undefined
  const stop = new AbortController()
  const both = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal])
  const onLine = (line: string, stream: 'stdout' | 'stderr'): void => {
    if (stream !== 'stdout') return
    const told = parsed(line)
    if (valueAt(told, 'held') === true) {
      changed ??= (held?.() ?? Promise.resolve()).catch((error: unknown) => {
        // There is nothing to wait for any more.
        stop.abort(error)
        throw error
      })
      // Heard of when it is awaited below.
      changed.catch(() => undefined)
    } else if (isObservation(told)) observation = told
  }
  try {
    const result = await tools.run(command, { onLine, signal: both })
    const { code, stderr } = result
    await changed
    observation ??= read(result)
    return { code, stderr, held: changed !== undefined, ...(observation !== undefined && { observation }) }
  } catch (error) {
    await changed
    if (!(error instanceof ToolError) || error.code === 'missing') throw error
    throw new TargetError('attempt-failed', `the program that makes the attempt was ended: ${messageOf(error)}`)
  }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

/** What kubectl says when the way to the pod failed, and nothing of the attempt was made. */
const transport = [
  ...[
    /unable to upgrade connection/,
    /error dialing backend/,
    /Unable to connect to the server/,
    /container not found/,
  ],
  ...[
    /The connection to the server .* was refused/,
    /TLS handshake timeout/,
    /etcdserver: (request timed out|leader changed)/,
  ],
  ...[
    /websocket: /,
    /http2: client connection lost/,
    /unexpected EOF/,
    /(i\/o|Client\.) ?timeout/,
    /error sending request/,
  ],
]

const isTransport = (stderr: string): boolean => transport.some((words) => words.test(stderr))

function failed(name: string, code: number | undefined, why: string): TargetError {
  const cause =
    code === 137 ? ' It was killed, most likely since the pod has too little memory for a second program.' : ''
  return new TargetError(
    'attempt-failed',
    `the program that makes the attempt in ${name} ended (${code === undefined ? 'by a signal' : `exit code ${code}`}) without saying what it saw: ${why}${cause}`,
  )
}
