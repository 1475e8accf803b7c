// A PostgreSQL of packages/pocket-postgres: how long it takes until it answers, with data to be made and with data that is
// there, what it takes in memory, and what its relay costs a query. Target: there again in under 0.2 s.
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRelay, startPostgres } from '@bulkhead/pocket-postgres'
import pg from 'pg'

const folder = mkdtempSync(join(tmpdir(), 'bulkhead-bench-'))
const owner = { user: 'hello', password: 'bench', database: 'hellodb' }
const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)]
const span = (values) =>
  `median ${median(values).toFixed(0)} ms, from ${values[0].toFixed(0)} to ${values.at(-1).toFixed(0)}`

/** Of the server and its processes, in MiB. */
function residentOf(pid) {
  const lines = execFileSync('ps', ['-axo', 'pid=,ppid=,rss='], { encoding: 'utf8' }).trim().split('\n')
  const rows = lines
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter(([own, parent]) => own === pid || parent === pid)
  return `${rows.length} processes, ${(rows.reduce((sum, [, , rss]) => sum + rss, 0) / 1024).toFixed(0)} MiB RSS, shared pages counted in each`
}

async function timed(work) {
  const began = performance.now()
  const result = await work()
  return [performance.now() - began, result]
}

/** The time of one small query on each, in us: rounds of 200 in turns, the median round. */
async function queries(...configs) {
  const sides = await Promise.all(
    configs.map(async (config) => {
      const client = new pg.Client({ ...owner, ...config })
      await client.connect()
      return { client, rounds: [] }
    }),
  )
  for (let round = 0; round < 15; round++) {
    for (const { client, rounds } of sides) {
      const [ms] = await timed(async () => {
        for (let i = 0; i < 200; i++) await client.query('select 1')
      })
      rounds.push((ms / 200) * 1000)
    }
  }
  await Promise.all(sides.map(({ client }) => client.end()))
  return sides.map(({ rounds }) => median(rounds).toFixed(0))
}

try {
  const made = []
  const again = []
  for (let run = 0; run < 5; run++) {
    const dataDir = join(folder, String(run))
    const [ms, postgres] = await timed(() => startPostgres({ ...owner, dataDir }))
    made.push(ms)
    await postgres.stop()
    for (let start = 0; start < 3; start++) {
      const [later, same] = await timed(() => startPostgres({ ...owner, dataDir }))
      again.push(later)
      await same.stop()
    }
  }
  console.log(`data to be made:    ${span(made)}`)
  console.log(`data that is there: ${span(again)} (target under 200)`)
  const postgres = await startPostgres({ ...owner, dataDir: join(folder, '0') })
  const relay = createRelay(postgres.socketPath).listen(0, '127.0.0.1')
  await once(relay, 'listening')
  const [direct, relayed] = await queries({ host: postgres.host }, { host: '127.0.0.1', port: relay.address().port })
  console.log(`select 1: ${direct} us on its socket, ${relayed} us through the relay, in the client's process here`)
  console.log(residentOf(postgres.pid))
  relay.close()
  await postgres.stop()
  console.log(`load average ${loadavg()[0].toFixed(1)}`)
  if (median(again) >= 200) process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
