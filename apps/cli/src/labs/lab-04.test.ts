import { test } from 'node:test'
import { replayLab } from './testing/replay.js'

test('lab 04: every command prints what the page shows, and does what its step says', (t) => replayLab('04', t))
