import { makeAttempt, parseAttempt } from './attempt.js'

/*
 * The program as one file, for pods whose image does not have it: whoever owns a process there feeds it to the pod's own node on
 * stdin. Stdin is the program then, so the attempt stands before it, as a value; with none there it is the program as ever.
 */

/** Where the attempt is looked for, as JSON. */
const given = Symbol.for('bulkhead.probe.attempt')

const text: unknown = Reflect.get(globalThis, given)

if (typeof text === 'string') {
  const print = (value: unknown): Promise<void> =>
    new Promise((resolve) => process.stdout.write(`${JSON.stringify(value)}\n`, () => resolve()))
  let code = 0
  try {
    await print(await makeAttempt(parseAttempt(text), () => void print({ held: true })))
  } catch (error) {
    process.stderr.write(`probe: ${error instanceof Error ? error.message : String(error)}\n`)
    code = 2
  }
  process.exit(code)
} else {
  await import('./main.js')
}
