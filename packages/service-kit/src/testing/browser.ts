import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { TestContext } from 'node:test'
import { cleanUp } from '@bulkhead/testing'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome', 'microsoft-edge']
const PLACES = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge',
]

function runs(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Chromium, or a browser made of it: CHROMIUM_PATH, else the usual names on PATH, else the usual places. */
export function findChromium(env: Readonly<Record<string, string | undefined>> = process.env): string | undefined {
  if (env.CHROMIUM_PATH) return env.CHROMIUM_PATH
  const folders = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
  return [...NAMES.flatMap((name) => folders.map((folder) => join(folder, name))), ...PLACES].find(runs)
}

/** With what Chromium is started. Its sandbox refuses to run as root, which containers usually are; the pages are our own. */
export const chromiumArgs: readonly string[] = [
  ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
  '--disable-dev-shm-usage',
  '--disable-gpu',
]

/**
 * A browser for this test, that `launch` starts; undefined where there is none: the test is then skipped, and says so. With BULKHEAD_BROWSER=required,
 * as in continuous integration, that is a failure.
 */
export async function openBrowser<B extends { close(): Promise<void> }>(
  t: TestContext,
  launch: (executablePath: string) => Promise<B>,
): Promise<B | undefined> {
  const executablePath = findChromium()
  if (executablePath === undefined) {
    const said = 'no Chromium was found, so nobody looked at the page: install one, or name it in CHROMIUM_PATH'
    if (process.env.BULKHEAD_BROWSER === 'required') throw new Error(said)
    t.diagnostic(`NOT RUN: ${said}`)
    t.skip(said)
    return undefined
  }
  const browser = await launch(executablePath)
  cleanUp(t, () => browser.close())
  return browser
}
