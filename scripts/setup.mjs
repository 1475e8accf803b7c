#!/usr/bin/env node
// Makes a clone ready to run: installs from the lockfile and builds, each only when it is needed. `npm start` and
// `npm test` begin with it. Usage: node scripts/setup.mjs
import './lib/node-version.mjs'
import { pathToFileURL } from 'node:url'
import { build, isBuilt } from './lib/build.mjs'
import { tell } from './lib/failure.mjs'
import { install, isInstalled } from './lib/install.mjs'
import { exclusively } from './lib/lock.mjs'
import { root } from './lib/root.mjs'

export async function setUp() {
  if (isInstalled(root) && isBuilt(root)) return
  await exclusively(root, async () => {
    // Looked at again: whoever held the lock may have done it.
    if (!isInstalled(root)) await install(root)
    if (!isBuilt(root)) await build(root)
  })
}

const called = process.argv[1]
if (called !== undefined && import.meta.url === pathToFileURL(called).href) await setUp().catch(tell)
