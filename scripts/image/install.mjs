#!/usr/bin/env node
// Installs what the lockfile of a pruned tree names. Usage:
//   node scripts/image/install.mjs DIR                         all of it, for this machine: to build with
//   node scripts/image/install.mjs DIR --architecture arm64    what programs need, for images of that architecture
// No package's own script is run: whatever arrives is unpacked, and nothing else.
import { spawnSync } from 'node:child_process'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { Failure, tell } from '../lib/failure.mjs'
import { imageTarget } from './target.mjs'

const plain = ['ci', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--no-update-notifier']

/** @param target in npm's words, to get production's packages alone for it; without one, all packages for this machine */
export function install(folder, target) {
  const production = ['--omit=dev', ...Object.entries(target ?? {}).map(([name, value]) => `--${name}=${value}`)]
  const args = [...plain, ...(target === undefined ? [] : production)]
  const { status, error, stdout, stderr } = spawnSync('npm', args, { cwd: folder, encoding: 'utf8' })
  if (error !== undefined) throw new Failure(`npm could not be started: ${error.message}`)
  if (status !== 0) throw new Failure(`npm ${args.join(' ')} did not work: its words are above.`, `${stdout}${stderr}`)
}

const called = process.argv[1]
if (called !== undefined && import.meta.url === pathToFileURL(called).href) {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { architecture: { type: 'string' } },
    })
    const [folder] = positionals
    if (folder === undefined) throw new Failure('usage: install.mjs DIR [--architecture amd64|arm64]')
    install(folder, values.architecture === undefined ? undefined : imageTarget(values.architecture))
  } catch (error) {
    tell(error)
  }
}
