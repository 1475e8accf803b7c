import { appendFileSync } from 'node:fs'

/**
 * A reporter of node:test that writes only the sums, from the runner's own closing lines (`pass 12`, `fail 0` ...). For a run that does
 * not come to its end another file gets a line of JSON after every test, with what has ended so far: at once, since who is told to stop has no
 * time for what waits in a stream.
 */
export const tallying = (soFarFile) =>
  async function* tally(events) {
    const sums = {}
    const soFar = { passed: 0, failed: 0, skipped: 0 }
    for await (const { type, data } of events) {
      if (type === 'test:diagnostic') {
        const match = /^(pass|fail|cancelled|skipped) (\d+)$/.exec(data.message)
        if (match) sums[match[1]] = Number(match[2])
      }
      const ended = endedAs(type, data)
      if (ended === undefined) continue
      soFar[ended] += 1
      appendFileSync(soFarFile, `${JSON.stringify(soFar)}\n`)
    }
    yield `${JSON.stringify({ passed: sums.pass ?? 0, failed: (sums.fail ?? 0) + (sums.cancelled ?? 0), skipped: sums.skipped ?? 0 })}\n`
  }

/** Which sum a test that has ended belongs to; none for a group of tests, for a file whose process ended, and for what the runner's own end took with it. */
function endedAs(type, data) {
  if ((type !== 'test:pass' && type !== 'test:fail') || data.details?.type === 'suite') return undefined
  if (data.skip !== undefined) return 'skipped'
  if (type === 'test:pass') return 'passed'
  const error = data.details?.error ?? {}
  return ['cancelledByParent', 'testAborted'].includes(error.failureType) || 'exitCode' in error ? undefined : 'failed'
}
