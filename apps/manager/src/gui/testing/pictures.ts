// Takes a picture of every screen, light, dark and narrow, for somebody to look at:
//   node apps/manager/dist/gui/testing/pictures.js [folder] [part of a screen's name]
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { findChromium } from '@bulkhead/service-kit/testing'
import { launch } from './browser.js'
import { screensOf } from './screens.js'
import { furnish, type Sight, stageOf } from './stage.js'

const views = [
  { view: 'light', dark: false, width: 1_200 },
  { view: 'dark', dark: true, width: 1_200 },
  { view: 'narrow', dark: false, width: 360 },
] as const

const [folder = fileURLToPath(new URL('../../../../../.bulkhead/pictures/manager', import.meta.url)), wanted = ''] =
  process.argv.slice(2)
const executablePath = findChromium()
if (executablePath === undefined) throw new Error('no Chromium was found: install one, or name it in CHROMIUM_PATH')
mkdirSync(folder, { recursive: true })

const cleanups: (() => unknown)[] = []
const browser = await launch(executablePath)
let taken = 0
try {
  const { scene, open } = await stageOf({ after: (cleanup) => cleanups.push(cleanup) }, browser)
  const screens = screensOf(await furnish(scene))
  const take = async ({ page }: Sight, name: string, view: string): Promise<void> => {
    const file = path.join(folder, `${name}-${view}.png`)
    // A dialog is of the window, and not of the page below it.
    const fullPage = (await page.getByRole('dialog').count()) === 0
    writeFileSync(file, await page.screenshot({ fullPage, animations: 'disabled' }))
    taken++
  }
  for (const { view, ...options } of views) {
    const sight = await open(options)
    if ('login'.includes(wanted)) await take(sight, 'login', view)
    await sight.logIn(scene.admin)
    for (const { name, show } of screens.filter((screen) => screen.name.includes(wanted))) {
      await show(sight)
      await take(sight, name, view)
      if ((await sight.page.getByRole('dialog').count()) > 0) await sight.page.keyboard.press('Escape')
    }
    await sight.close()
    const first = await open(options)
    const carol = { username: 'carol@example.com', password: 'a password of tests' }
    await first.logIn(carol)
    if ('first-password'.includes(wanted)) await take(first, 'first-password', view)
    await first.close()
  }
} finally {
  await browser.close()
  for (const cleanup of cleanups) await cleanup()
}
process.stdout.write(`${taken} pictures in ${folder}\n`)
