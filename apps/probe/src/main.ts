/** `idle`: wait. `attempt`: read one ResolvedAttempt (JSON) on stdin, make it, print the Observation (JSON) on stdout. */
const usage = 'usage: probe idle | probe attempt < attempt.json'

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
  default:
    process.stderr.write(`probe: unknown command ${JSON.stringify(process.argv[2] ?? '')}; ${usage}\n`)
    process.exitCode = 2
}
