#!/usr/bin/env node
// The part of the repository that the images are built from: DIR/json has what an install needs (package.json files and a
// lockfile of their packages alone), DIR/full the sources. A change elsewhere changes nothing of it.
// Usage: node scripts/image/prune.mjs --source DIR --out DIR
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { Failure, tell } from '../lib/failure.mjs'
import { apps } from './apps.mjs'

export function prune({ source, out }) {
  if (existsSync(out)) throw new Failure(`${out} is there already.`)
  const read = (...parts) => JSON.parse(readFileSync(path.join(source, ...parts), 'utf8'))
  const names = Object.keys(apps).map((app) => read('apps', app, 'package.json').name)
  const turbo = path.join(source, 'node_modules', '.bin', 'turbo')
  const env = { ...process.env, TURBO_TELEMETRY_DISABLED: '1', TURBO_NO_UPDATE_NOTIFIER: '1' }
  const args = ['prune', ...names, '--docker', `--out-dir=${path.resolve(out)}`]
  const { status, error, stdout, stderr } = spawnSync(turbo, args, { cwd: source, env, encoding: 'utf8' })
  if (error !== undefined) throw new Failure(`turbo could not be started: ${error.message}`)
  if (status !== 0) throw new Failure('turbo prune did not work: its words are above.', `${stdout}${stderr}`)
  // What every package's build reads, and no package holds.
  for (const file of read('turbo.json').globalDependencies)
    copyFileSync(path.join(source, file), path.join(out, 'full', file))
}

const called = process.argv[1]
if (called !== undefined && import.meta.url === pathToFileURL(called).href) {
  try {
    const { values } = parseArgs({ options: { source: { type: 'string' }, out: { type: 'string' } } })
    if (values.source === undefined || values.out === undefined)
      throw new Failure('usage: prune.mjs --source DIR --out DIR')
    prune(values)
  } catch (error) {
    tell(error)
  }
}
