import assert from 'node:assert/strict'
import { screensOf } from '../testing/screens.js'
import { axeProblems, furnish, type Sight, type Stage } from '../testing/stage.js'

const NARROW = 360

/** Every screen, light and dark and on a phone: without a complaint of axe-core’s, and none wider than its window. */
export async function looks({ scene, open }: Stage): Promise<void> {
  const screens = screensOf(await furnish(scene))
  const grounds = new Set<string>()
  for (const [dark, width] of [
    [false, 1_200],
    [true, NARROW],
  ] as const) {
    const sight = await open({ dark, width })
    await judge(sight, 'login', width)
    await sight.logIn(scene.admin)
    for (const { name, show } of screens) {
      await show(sight)
      await judge(sight, `${name}, ${dark ? 'dark' : 'light'}`, width)
      await leave(sight)
    }
    grounds.add(await sight.page.evaluate<string>('getComputedStyle(document.documentElement).backgroundColor'))
    assert.deepEqual(sight.complaints, [])
    await sight.close()
  }
  assert.equal(grounds.size, 2, 'dark is another page than light')
}

async function judge({ page }: Sight, name: string, width: number): Promise<void> {
  assert.deepEqual(await axeProblems(page), [], name)
  const wide = await page.evaluate<number>('document.documentElement.scrollWidth')
  assert.ok(wide <= width, `${name}: at ${width} px it is ${wide} px wide`)
}

/** A dialog would lie over the next screen. */
async function leave({ page }: Sight): Promise<void> {
  if ((await page.getByRole('dialog').count()) === 0) return
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
}

/** The switch holds against the system’s setting, and is remembered. */
export async function colours({ open }: Stage): Promise<void> {
  const { page, close } = await open({ dark: true })
  const ground = () => page.evaluate<string>('getComputedStyle(document.documentElement).backgroundColor')
  const dark = await ground()
  await page.getByLabel('Colours').selectOption('light')
  const light = await ground()
  assert.notEqual(light, dark)
  await page.reload()
  await page.getByRole('button', { name: 'Log in' }).waitFor()
  assert.equal(await ground(), light)
  await page.getByLabel('Colours').selectOption('system')
  assert.equal(await ground(), dark)
  await close()
}
