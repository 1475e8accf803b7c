import assert from 'node:assert/strict'
import { type Stage, settled } from '../testing/stage.js'

/** From the first login of all to somebody else's strategy, and what the audit log says of it. */
export async function story({ scene, open }: Stage): Promise<void> {
  const { page, logIn, at, complaints, refused, close } = await open()
  await logIn(scene.admin)

  // Somebody who has never seen it is told what to do.
  await page.getByRole('link', { name: 'Make your first strategy' }).click()
  await page.getByRole('heading', { level: 1, name: 'New strategy' }).waitFor()
  await page.getByRole('button', { name: 'Create the strategy' }).click()
  await page.getByText('otherwise it would be every pod of the cluster').waitFor()
  await page.getByLabel('Namespaces of pods').fill('shop, Not_One')
  await page.getByLabel('Key').fill('app')
  await page.getByLabel('Value').fill('web')
  await page.getByLabel('Priority').fill('5')
  await page.getByLabel('Time slice').fill('10000000')
  await page.getByText('Now: 10 ms.').waitFor()
  await page.getByLabel('Command').fill('(?=look)')
  await page.getByRole('button', { name: 'Create the strategy' }).click()
  await page.getByText(/^"Not_One" must be the name of a namespace/).waitFor()
  const command = page.getByLabel('Command')
  await page.locator('#app [aria-invalid="true"]').first().waitFor()
  assert.equal(await command.getAttribute('aria-invalid'), 'true')
  assert.equal(await page.evaluate<string>('document.activeElement.getAttribute("aria-invalid")'), 'true')
  assert.deepEqual(refused.splice(0), ['422 POST /api/v1/strategies', '422 POST /api/v1/strategies'])

  await page.getByLabel('Namespaces of pods').fill('shop')
  await command.fill('')
  await page.getByRole('button', { name: 'Create the strategy' }).click()
  await page.getByText('It is for 3 pods, and the schedulers of all their nodes know.').waitFor()
  const row = page.getByRole('row').filter({ hasText: 'app=web' })
  await row.waitFor()
  assert.match(await row.innerText(), /pods of shop[\s\S]*5[\s\S]*10 ms/)

  // Its intents, node by node, in the server's words.
  await page.getByRole('navigation', { name: 'Screens' }).getByRole('link', { name: 'Intents' }).click()
  await page.getByRole('tab', { name: 'node-2' }).waitFor()
  assert.deepEqual(await page.getByRole('tab').allInnerTexts(), ['node-1 2', 'node-2 1'])
  await page.getByRole('tab', { name: 'node-2' }).click()
  const intent = page.getByRole('group').filter({ hasText: 'shop/web-3' })
  await intent.getByText('Sent').waitFor()
  await intent.locator('summary').click()
  await intent.getByText('uid-of-web-3').waitFor()
  await intent.getByRole('button', { name: 'Delete the intent for web-3' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
  await page.getByText('The intent for web-3 is deleted.').waitFor()
  await page.getByRole('tab', { name: 'node-2' }).waitFor({ state: 'detached' })

  // A user, who has to choose a password of her own before anything else.
  await at('#/users', 'Users')
  await page.getByText('You are the only one.').waitFor()
  await page.getByRole('button', { name: 'New user' }).click()
  await page.getByLabel('Username').fill('alice')
  await page.getByRole('button', { name: 'Make one up' }).click()
  const first = await page.getByLabel('Password for the first login').inputValue()
  assert.match(first, /^(\w{5}-){3}\w{5}$/)
  await page.getByRole('button', { name: 'Create the user' }).click()
  await page.getByRole('row').filter({ hasText: 'alice' }).getByText('Must change the password').waitFor()

  await page.getByRole('button', { name: 'Reset password of alice' }).click()
  await page.getByLabel('Password for the next login').waitFor()
  await page.keyboard.press('Escape')

  const hers = await open()
  await hers.logIn({ username: 'alice', password: first })
  await hers.page.getByRole('heading', { level: 1, name: 'Choose a password of your own' }).waitFor()
  await hers.page.evaluate('location.hash = "#/strategies"')
  assert.equal(await hers.page.getByRole('navigation').count(), 0, 'there is nowhere to go')
  await hers.page.getByLabel('Current password').fill('not this one')
  await hers.page.getByLabel('New password', { exact: true }).fill('known to alice alone')
  await hers.page.getByLabel('New password, once more').fill('known to alice alone')
  await hers.page.getByRole('button', { name: 'Change the password' }).click()
  await hers.page.getByText('This is not your current password.').waitFor()
  await hers.page.getByLabel('Current password').fill(first)
  await hers.page.getByRole('button', { name: 'Change the password' }).click()
  // She is where she wanted to go, and may not.
  await hers.page.getByText('You may not see this.').waitFor()
  assert.deepEqual(await hers.page.getByRole('navigation').getByRole('link').allInnerTexts(), ['Overview'])
  await hers.at('#/', 'Overview')
  await hers.page.getByText('None of your roles permits anything yet.').waitFor()

  // A role that is for the shop's pods alone, and given to her.
  await at('#/roles/new', 'New role')
  await page.getByLabel('Name', { exact: true }).fill('shop-tuner')
  for (const key of ['schedule_strategy.create', 'schedule_strategy.read', 'schedule_intent.read'])
    await page.getByRole('checkbox', { name: key }).check()
  await page
    .locator('.grant')
    .filter({ hasText: 'schedule_strategy.create' })
    .getByLabel('Only pods of the namespace')
    .fill('shop')
  await page.getByRole('button', { name: 'Create the role' }).click()
  await page.getByRole('row').filter({ hasText: 'shop-tuner' }).waitFor()
  await at('#/users', 'Users')
  await page.getByRole('button', { name: 'Roles and status of alice' }).click()
  await page.getByRole('checkbox', { name: 'shop-tuner' }).check()
  await page.getByRole('button', { name: 'Store' }).click()
  await page.getByRole('row').filter({ hasText: 'alice' }).getByText('shop-tuner').waitFor()

  // In force at once, without another login; and no further than it goes.
  await hers.page.getByRole('button', { name: 'Look again what I may do' }).click()
  await hers.page.getByRole('link', { name: 'Make your first strategy' }).click()
  await hers.page.getByLabel('Namespaces of pods').fill('batch')
  await hers.page.getByRole('button', { name: 'Create the strategy' }).click()
  await hers.page.getByRole('alert').getByText('You may not do this.').waitFor()
  await hers.page.getByLabel('Namespaces of pods').fill('shop')
  await hers.page.getByRole('button', { name: 'Create the strategy' }).click()
  await hers.page.getByText('It is for 4 pods').waitFor()
  assert.equal(await hers.page.getByRole('button', { name: /^Delete/ }).count(), 0, 'what she may not is not offered')

  // Who did what.
  await at('#/audit', 'Audit log')
  await page.getByLabel('User', { exact: true }).selectOption('alice')
  await page.getByLabel('Outcome').selectOption('refused')
  await page.getByRole('button', { name: 'Filter' }).click()
  await page.getByRole('cell', { name: 'auth.login' }).first().waitFor({ state: 'detached' })
  await settled(page)
  const lines = await page.locator('tbody tr').allInnerTexts()
  assert.deepEqual(
    lines.map((line) => /(strategy\.create|user\.password\.change)[\s\S]*Refused\s+([A-Z_]+)/.exec(line)?.slice(1)),
    [
      ['strategy.create', 'PERMISSION_DENIED'],
      ['user.password.change', 'PASSWORD_WRONG'],
    ],
  )

  // And out: the login is dead, here and wherever its token went.
  const [kept] = (await hers.context.cookies()).filter(({ name }) => name === 'bulkhead-session')
  assert.equal(kept?.httpOnly, true)
  assert.equal(kept?.sameSite, 'Strict')
  await hers.page.getByRole('button', { name: 'Log out' }).click()
  await hers.page.getByText('You are logged out.').waitFor()
  assert.deepEqual(await hers.context.cookies(), [])
  await scene.agent.get('/api/v1/users/self').set('cookie', `bulkhead-session=${kept?.value}`).expect(401)
  assert.deepEqual(hers.refused, ['401 PUT /api/v1/users/self/password', '403 POST /api/v1/strategies'])
  assert.deepEqual([...complaints, ...hers.complaints, ...refused], [])
  await hers.close()
  await close()
}
