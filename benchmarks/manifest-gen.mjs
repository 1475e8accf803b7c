// What a set of manifests costs: a description held against its schema, its objects made, and written as YAML. Target: 2 ms for a full set,
// with a waypoint of its own. `node benchmarks/manifest-gen.mjs` after `npm run build`; no network.
import { loadavg } from 'node:os'
import { readDescription } from '../apps/manifest-gen/dist/description/read.js'
import { generate } from '../apps/manifest-gen/dist/generate/generate.js'
import { writeFiles } from '../apps/manifest-gen/dist/yaml/write.js'

const ROUNDS = 41
const SETS = 50
const TARGET_MS = 2

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]
const common = {
  name: 'worker-app',
  namespace: 'demo',
  image: 'localhost/bulkhead/probe:0.1.0',
  port: 8080,
  callers: ['shop/sleep'],
  calls: ['demo/postgres:5432'],
}
const asks = { methods: ['GET', 'HEAD'], paths: ['/api/*'] }
const cases = {
  'one that calls, and one that is called': common,
  'the same, by requests: a full set': { ...common, callers: [{ namespace: 'shop', name: 'sleep', ...asks }] },
  '50 callers and 50 that are called': {
    ...common,
    callers: Array.from({ length: 50 }, (_, n) => ({ namespace: 'shop', name: `caller-${n}`, ...asks })),
    calls: Array.from({ length: 50 }, (_, n) => `demo/called-${n}:8080`),
  },
}

/** Milliseconds for one. */
function timed(sets, work) {
  const start = performance.now()
  for (let n = 0; n < sets; n++) work()
  return (performance.now() - start) / sets
}

console.log(`load average ${loadavg()[0].toFixed(1)}; medians of ${ROUNDS} rounds\n`)
console.log('| a set for | objects | YAML | read and made | and written | target |\n|---|---|---|---|---|---|')
let missed = false
for (const [name, raw] of Object.entries(cases)) {
  const make = () => generate(readDescription(raw, () => true))
  const write = () => writeFiles(make())
  const sets = name.startsWith('50') ? 3 : SETS
  for (let n = 0; n < 300; n++) write()
  const [making, writing] = [[], []]
  for (let n = 0; n < ROUNDS; n++) {
    making.push(timed(sets, make))
    writing.push(timed(sets, write))
  }
  const objects = make().flatMap((file) => file.objects).length
  const full = name.endsWith('full set')
  if (full && median(writing) > TARGET_MS) missed = true
  console.log(
    `| ${name} | ${objects} | ${(write().length / 1024).toFixed(1)} KiB | ${median(making).toFixed(3)} ms | ${median(writing).toFixed(2)} ms | ${full ? `${TARGET_MS} ms` : ''} |`,
  )
}
if (missed) process.exitCode = 1
