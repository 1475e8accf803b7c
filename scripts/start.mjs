#!/usr/bin/env node
// `npm start`: set-up, then `bulkhead up --foreground`. Arguments go to `up`: npm start -- --layers 40-mtls
import './lib/node-version.mjs'
import { pathToFileURL } from 'node:url'
import { tell } from './lib/failure.mjs'
import { inRoot } from './lib/root.mjs'
import { setUp } from './setup.mjs'

await setUp().catch(tell)

// In this very process: one Ctrl-C is one signal to one process, and nothing has to be handed on.
process.argv.splice(2, 0, 'up', '--foreground')
await import(pathToFileURL(inRoot('apps', 'cli', 'bin', 'bulkhead.js')).href)
