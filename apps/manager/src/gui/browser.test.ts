import { test } from 'node:test'
import { conflict, cut, expired, heldOff, twoWindows } from './browser/failures.js'
import { hostile, nothingToTake } from './browser/hostile.js'
import { keyboard } from './browser/keyboard.js'
import { colours, looks } from './browser/looks.js'
import { story } from './browser/story.js'
import { openBrowser } from './testing/browser.js'
import { stageOf } from './testing/stage.js'

const parts = {
  'from the first login to somebody else’s strategy, and who did what': story,
  'every screen, light and dark and on a phone, without a complaint of axe-core’s': looks,
  'the colours can be chosen': colours,
  'by keyboard alone': keyboard,
  'whatever somebody has named something, it is text': hostile,
  'a script finds nothing that lets anybody in': nothingToTake,
  'two change the same strategy': conflict,
  'a session ends, and one comes back to where one was': expired,
  'guessing is held off': heldOff,
  'two windows share a session': twoWindows,
  'the network, what is in front, and the manager fail': cut,
} as const

// Two at a time, each with a manager and windows of its own: while one waits for its answers the other goes on.
test('the page in a real browser', { concurrency: 2 }, async (t) => {
  const browser = await openBrowser(t)
  if (browser === undefined) return
  await Promise.all(
    Object.entries(parts).map(([name, part]) =>
      t.test(name, async (own) => {
        await part(await stageOf(own, browser))
      }),
    ),
  )
})
