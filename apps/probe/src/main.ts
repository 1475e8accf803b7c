/**
 * `idle`: wait. `attempt`: read one ResolvedAttempt (JSON) on stdin, make it, print the Observation (JSON) on stdout.
 * `listen`: say of everything that arrives how much it was.
 */
const usage = 'usage: probe idle | probe attempt < attempt.json | probe listen udp:PORT http:PORT ...'

async function attempt(): Promise<number> {
  const { makeAttempt, parseAttempt } = await import('./attempt.js')
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer)
  try {
    const resolved = parseAttempt(Buffer.concat(chunks).toString('utf8'))
    const observation = await makeAttempt(resolved, () => void print({ held: true }))
    await print(observation)
    return 0
  } catch (error) {
    process.stderr.write(`probe: ${error instanceof Error ? error.message : String(error)}\n`)
    return 2
  }
}

function print(value: unknown): Promise<void> {
  return new Promise((resolve) => process.stdout.write(`${JSON.stringify(value)}\n`, () => resolve()))
}

switch (process.argv[2]) {
  case 'idle': {
    const { idle } = await import('./idle.js')
    idle()
    break
  }
  case 'attempt':
    // Whatever is still open belongs to an attempt that is over.
    process.exit(await attempt())
    break
  case 'listen': {
    const { listen } = await import('./listen.js')
    const places = process.argv.slice(3)
    try {
      if (places.length === 0) throw new Error(`"listen" needs places to listen at; ${usage}`)
      await listen(places)
    } catch (error) {
      process.stderr.write(`probe: ${error instanceof Error ? error.message : String(error)}\n`)
      process.exit(2)
    }
    break
  }
  default:
    process.stderr.write(`probe: unknown command ${JSON.stringify(process.argv[2] ?? '')}; ${usage}\n`)
    process.exitCode = 2
}
