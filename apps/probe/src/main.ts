/**
 * `idle`: wait. `attempt`: read one ResolvedAttempt (JSON) on stdin, make it, print the Observation (JSON) on stdout.
 * `attempts`: the same again and again, a line each.
 * `listen`: say of everything that arrives how much it was. `outside`: the same, as a host outside of the cluster. `login`, `send`: for people.
 */
const usage =
  'usage: probe idle | probe attempt < attempt.json | probe attempts | probe listen udp:PORT http:PORT ... | probe outside [PLACE ...] | probe login [URL] | probe send HOST:PORT [TEXT]'

/** What was told stands on stdout; exit code 0 when it is good news, 2 when it cannot be tried as it is written. */
async function byHand(command: 'login' | 'send', [first, ...more]: readonly string[]): Promise<number> {
  const { login, send } = await import('./by-hand.js')
  try {
    const { text, code } = command === 'login' ? await login(first, process.env) : await send(first, more.join(' '))
    await write(`${text}\n`)
    return code
  } catch (error) {
    process.stderr.write(`probe: ${error instanceof Error ? error.message : String(error)}\n`)
    return 2
  }
}

async function attempt(): Promise<void> {
  const { makeAttempt, parseAttempt } = await import('./attempt.js')
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer)
  const resolved = parseAttempt(Buffer.concat(chunks).toString('utf8'))
  await print(await makeAttempt(resolved, () => void print({ held: true })))
}

async function oneAfterAnother(): Promise<void> {
  const { attempts } = await import('./attempts.js')
  await attempts(print)
}

/** The exit code: 2 for an attempt that cannot be made as it is written. */
async function asTold(what: () => Promise<void>): Promise<number> {
  try {
    await what()
    return 0
  } catch (error) {
    process.stderr.write(`probe: ${error instanceof Error ? error.message : String(error)}\n`)
    return 2
  }
}

/** Stays; or ends with 2 when it cannot listen there. */
async function opened(command: 'listen' | 'outside', places: readonly string[]): Promise<void> {
  try {
    if (command === 'outside') return await (await import('./outside.js')).outside(places)
    if (places.length === 0) throw new Error(`"listen" needs places to listen at; ${usage}`)
    await (await import('./listen.js')).listen(places)
  } catch (error) {
    process.stderr.write(`probe: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exit(2)
  }
}

const print = (value: unknown): Promise<void> => write(`${JSON.stringify(value)}\n`)

function write(text: string): Promise<void> {
  return new Promise((resolve) => process.stdout.write(text, () => resolve()))
}

switch (process.argv[2]) {
  case 'idle': {
    const { idle } = await import('./idle.js')
    idle()
    break
  }
  case 'attempt':
    // Whatever is still open belongs to an attempt that is over.
    process.exit(await asTold(attempt))
    break
  case 'attempts':
    // Awaited here, it would count as something that is left.
    void asTold(oneAfterAnother).then((code) => process.exit(code))
    break
  case 'listen':
  case 'outside':
    await opened(process.argv[2], process.argv.slice(3))
    break
  case 'login':
  case 'send':
    process.exit(await byHand(process.argv[2], process.argv.slice(3)))
    break
  default:
    process.stderr.write(`probe: unknown command ${JSON.stringify(process.argv[2] ?? '')}; ${usage}\n`)
    process.exitCode = 2
}
