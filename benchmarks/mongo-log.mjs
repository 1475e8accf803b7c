// pocket-mongo's log: 100,000 documents of 100 bytes with an index are opened from it, and it is written anew.
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore } from '@bulkhead/pocket-mongo'

const DOCUMENTS = 100_000
const TOGETHER = 1000
const ROUNDS = 5

const dataDir = mkdtempSync(join(tmpdir(), 'bulkhead-bench-'))
try {
  const store = await openStore({ dataDir, sync: false })
  await store.write((unit) => unit.createIndexes('bench.documents', [{ name: 'n_1', key: { n: 1 } }]))
  for (let first = 0; first < DOCUMENTS; first += TOGETHER) {
    await store.write((unit) => {
      for (let n = first; n < first + TOGETHER; n++) {
        unit.insert('bench.documents', { _id: n, n: n % 1000, filling: 'x'.repeat(60) })
      }
    })
  }
  await store.close()
  const bytes = statSync(join(dataDir, 'store.log')).size
  const opened = []
  const rewritten = []
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now()
    const again = await openStore({ dataDir })
    const open = performance.now()
    await again.compact()
    rewritten.push(performance.now() - open)
    opened.push(open - start)
    await again.close()
  }
  const median = (times) => Math.round(times.sort((a, b) => a - b)[Math.floor(times.length / 2)])
  console.log(`${DOCUMENTS} documents, ${(bytes / 1e6).toFixed(1)} MB; load average ${loadavg()[0].toFixed(1)}`)
  console.log(`opened in ${median(opened)} ms, written anew in ${median(rewritten)} ms; the median of ${ROUNDS}`)
} finally {
  rmSync(dataDir, { recursive: true, force: true })
}
