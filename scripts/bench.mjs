#!/usr/bin/env node
// `npm run bench`: set-up, then every benchmark in benchmarks/, one after the other, so that none disturbs another.
// `npm run bench -- mesh` runs only those whose name contains "mesh".
import './lib/node-version.mjs'
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { cpus } from 'node:os'
import { tell } from './lib/failure.mjs'
import { inRoot, root } from './lib/root.mjs'
import { setUp } from './setup.mjs'

await setUp().catch(tell)

const filters = process.argv.slice(2)
const files = readdirSync(inRoot('benchmarks'))
  .filter((name) => name.endsWith('.mjs') && (filters.length === 0 || filters.some((filter) => name.includes(filter))))
  .sort()

if (files.length === 0) {
  process.stderr.write('There is no such benchmark.\n')
  process.exit(2)
}

// A figure means nothing without the machine that it was taken on.
console.log(
  `Node.js ${process.versions.node} on ${process.platform} ${process.arch}, ${cpus().length} x ${cpus()[0]?.model ?? 'unknown CPU'}`,
)

let failed = 0
for (const name of files) {
  console.log(`\n== benchmarks/${name}`)
  const { status } = spawnSync(process.execPath, [inRoot('benchmarks', name)], { cwd: root, stdio: 'inherit' })
  if (status !== 0) failed += 1
}
process.exit(failed === 0 ? 0 : 1)
