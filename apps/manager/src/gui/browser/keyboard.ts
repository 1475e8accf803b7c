import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'
import { type Stage, settled } from '../testing/stage.js'

/** More than any screen has to be gone through. */
const MOST_TABS = 60

/** What has the focus, as a person would name it. */
const focused = (page: Page): Promise<string> =>
  page.evaluate<string>(`(() => {
    const at = document.activeElement
    return at?.getAttribute('aria-label') ?? at?.labels?.[0]?.textContent ?? at?.textContent ?? ''
  })()`)

/** From here on with Tab alone, until this has the focus; and the focus can be seen there. */
async function tabTo(page: Page, name: string | RegExp): Promise<void> {
  for (let tabs = 0; tabs < MOST_TABS; tabs++) {
    await page.keyboard.press('Tab')
    const at = (await focused(page)).trim()
    if (typeof name === 'string' ? at !== name : !name.test(at)) continue
    const outline = await page.evaluate<string>('getComputedStyle(document.activeElement).outlineStyle')
    assert.notEqual(outline, 'none', `${at}: the focus cannot be seen`)
    return
  }
  throw new Error(`Tab does not come to ${name}; it is at ${await focused(page)}`)
}

/** Login, a strategy made and deleted, and out, without a mouse. */
export async function keyboard({ scene, open }: Stage): Promise<void> {
  const { page, complaints, close } = await open()
  const type = (text: string) => page.keyboard.type(text)
  const press = (key: string) => page.keyboard.press(key)
  assert.equal(await focused(page), 'Username', 'where one begins')
  await type(scene.admin.username)
  await tabTo(page, 'Password')
  await type(scene.admin.password)
  await press('Enter')
  await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor()
  assert.equal(await focused(page), 'Overview', 'a screen begins with its heading')

  await page.reload()
  await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor()
  await page.evaluate('document.activeElement.blur()')
  await tabTo(page, 'Skip to the content')
  await press('Enter')
  assert.equal(await focused(page), 'Overview')
  await tabTo(page, 'Make your first strategy')
  await press('Enter')
  await page.getByRole('heading', { level: 1, name: 'New strategy' }).waitFor()
  assert.equal(await focused(page), 'New strategy')
  await tabTo(page, 'Namespaces of pods')
  await type('shop')
  await tabTo(page, 'Key')
  await type('app')
  await tabTo(page, 'Value')
  await type('web')
  await tabTo(page, 'Add a label')
  await press('Enter')
  await page.getByLabel('Key 2').waitFor()
  await page.waitForFunction('document.activeElement.labels?.[0]?.textContent === "Key 2"')
  await tabTo(page, 'Create the strategy')
  await press('Enter')
  await page.getByRole('row').filter({ hasText: 'app=web' }).waitFor()
  assert.equal(await focused(page), 'Strategies')

  await tabTo(page, /^Delete the strategy/)
  await press('Enter')
  const dialog = page.getByRole('dialog', { name: 'Delete this strategy?' })
  await dialog.waitFor()
  await press('Escape')
  await dialog.waitFor({ state: 'detached' })
  assert.match(await focused(page), /^Delete the strategy/, 'back to where it was')
  await press('Enter')
  await dialog.waitFor()
  await tabTo(page, 'Delete')
  await press('Enter')
  await page.getByText('There is no strategy of yours yet.').waitFor()
  assert.equal(await focused(page), 'Strategies', 'not lost with what is gone')

  // Between tabs with the arrows.
  await scene
    .as(scene.admin)
    .post('/api/v1/strategies')
    .send({ k8sNamespace: ['shop', 'batch'] })
    .expect(201)
  await page.evaluate('document.activeElement.blur()')
  await tabTo(page, 'Intents')
  await press('Enter')
  await page.getByRole('heading', { level: 1, name: 'Intents' }).waitFor()
  await page.getByRole('tab', { name: 'node-1' }).waitFor()
  await settled(page)
  await tabTo(page, /^node-1/)
  await press('ArrowRight')
  assert.match(await focused(page), /^node-2/)
  await press('End')
  assert.match(await focused(page), /^On no node yet/)
  await press('ArrowRight')
  assert.match(await focused(page), /^node-1/)
  await page.evaluate('document.activeElement.blur()')
  await tabTo(page, 'Log out')
  await press('Enter')
  await page.getByText('You are logged out.').waitFor()
  await page.waitForFunction('document.activeElement.labels?.[0]?.textContent === "Username"')
  assert.deepEqual(complaints, [])
  await close()
}
