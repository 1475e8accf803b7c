import type { TestContext } from 'node:test'
import { chromiumArgs, openBrowser as open } from '@bulkhead/service-kit/testing'
import { type Browser, chromium } from 'playwright-core'

const launch = (executablePath: string): Promise<Browser> =>
  chromium.launch({ executablePath, args: [...chromiumArgs] })

/** A browser for this test; undefined where there is none: the test is then skipped, and says so. */
export const openBrowser = (t: TestContext): Promise<Browser | undefined> => open(t, launch)
