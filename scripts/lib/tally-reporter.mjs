/**
 * A reporter of node:test that writes only sums, as a line of JSON each: after every test what has ended so far, for a run that does not
 * come to its end, and last, with `whole`, those of the runner's own closing lines (`pass 12`, `fail 0` ...).
 */
export default async function* tally(events) {
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
    yield `${JSON.stringify(soFar)}\n`
  }
  yield `${JSON.stringify({ passed: sums.pass ?? 0, failed: (sums.fail ?? 0) + (sums.cancelled ?? 0), skipped: sums.skipped ?? 0, whole: true })}\n`
}

/** Which sum a test that has ended belongs to; none for a group of tests, and for what the runner's own end took with it. */
function endedAs(type, data) {
  if ((type !== 'test:pass' && type !== 'test:fail') || data.details?.type === 'suite') return undefined
  if (data.skip !== undefined) return 'skipped'
  if (type === 'test:pass') return 'passed'
  return data.details?.error?.failureType === 'cancelledByParent' ? undefined : 'failed'
}
