/** A reporter of node:test that writes only the sums, from the runner's own closing lines (`pass 12`, `fail 0` ...). */
export default async function* tally(events) {
  const sums = {}
  for await (const event of events) {
    if (event.type !== 'test:diagnostic') continue
    const match = /^(pass|fail|cancelled|skipped) (\d+)$/.exec(event.data.message)
    if (match) sums[match[1]] = Number(match[2])
  }
  yield `${JSON.stringify({ passed: sums.pass ?? 0, failed: (sums.fail ?? 0) + (sums.cancelled ?? 0), skipped: sums.skipped ?? 0 })}\n`
}
