import assert from 'node:assert/strict'
import { test } from 'node:test'
import { temporaryFolder } from '@bulkhead/testing'
import { hasCurl } from './curl.js'
import { commandsOf, Session } from './session.js'

const page = 'docs/manager.md'

test(`${page}: every command prints what the page shows`, async (t) => {
  if (!hasCurl()) t.diagnostic('there is no curl here: a stand-in made the calls')
  const commands = commandsOf(page)
  assert.ok(commands.length > 20)
  const folder = temporaryFolder(t)
  const session = await Session.start(page, folder, { 'gthulhu/gthulhu-gw-istio': 30450 })
  try {
    for (const command of commands) await session.type(command)
  } finally {
    await session.stop()
  }
})
