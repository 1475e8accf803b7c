import assert from 'node:assert/strict'
import { selecting } from '../../testing/scheduling.js'
import { type Stage, settled } from '../testing/stage.js'

/** Two change the same strategy: who comes second is told, and decides. */
export async function conflict({ scene, open }: Stage): Promise<void> {
  const by = scene.as(scene.admin)
  const { body } = await by.post('/api/v1/strategies').send(selecting('web')).expect(201)
  const { id } = (body as { data: { id: string } }).data
  const elsewhere = (priority: number) =>
    by
      .put('/api/v1/strategies')
      .send({ ...selecting('web'), strategyId: id, priority })
      .expect(200)
  const { page, logIn, at, refused, complaints, close } = await open()
  await logIn(scene.admin)
  await at(`#/strategies/${id}`, `Change the strategy …${id.slice(-6)}`)
  const priority = page.getByLabel('Priority')
  await priority.fill('7')
  await elsewhere(2)
  await page.getByRole('button', { name: 'Store the changes' }).click()
  await page.getByRole('alert').getByText('Somebody else has changed it since you read it.').waitFor()
  await page.getByRole('button', { name: 'Show what is stored now' }).click()
  await page.getByText('These are the values that are stored now.').waitFor()
  assert.equal(await priority.inputValue(), '2')
  await priority.fill('8')
  await elsewhere(3)
  await page.getByRole('button', { name: 'Store the changes' }).click()
  await page.getByRole('button', { name: 'Keep what I have typed' }).click()
  await page.getByText('What stands in the form is still yours').waitFor()
  await page.getByRole('button', { name: 'Store the changes' }).click()
  await page.getByText('The strategy is stored.').waitFor()
  const stored = await by.get(`/api/v1/strategies/${id}`).expect(200)
  assert.equal((stored.body as { data: { priority: number } }).data.priority, 8)

  // Deleted under the hands of who has it before him.
  await elsewhere(4)
  await page.getByRole('button', { name: /^Delete the strategy/ }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
  await page.getByRole('dialog').getByRole('alert').waitFor()
  await page.getByRole('button', { name: 'Show what there is now' }).click()
  await page.getByRole('cell', { name: '4', exact: true }).waitFor()
  await page.getByRole('button', { name: /^Delete the strategy/ }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
  await page.getByText('There is no strategy of yours yet.').waitFor()
  assert.deepEqual(refused, [
    '409 PUT /api/v1/strategies',
    '409 PUT /api/v1/strategies',
    `409 DELETE /api/v1/strategies/${id}`,
  ])
  assert.deepEqual(complaints, [])
  await close()
}

/** A session that ends under somebody's hands: he is told, and comes back to where he was. */
export async function expired({ scene, open }: Stage): Promise<void> {
  const user = await scene.user({ username: 'dora', policies: ['schedule_strategy.read', 'schedule_intent.read'] })
  const { page, logIn, at, complaints, close } = await open()
  await logIn(user)
  await at('#/intents', 'Intents')
  await scene
    .as(scene.admin)
    .put('/api/v1/users/permissions')
    .send({ userID: user.id.toHexString(), status: 2 })
    .expect(200)
  await page.getByRole('button', { name: 'Read again' }).click()
  await page.getByText('Your session has ended.').waitFor()
  await page.getByLabel('Username').fill(user.username)
  await page.getByLabel('Password', { exact: true }).fill(user.password)
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.getByRole('alert').getByText('Username or password is not right.').waitFor()
  assert.equal(await page.getByLabel('Password', { exact: true }).inputValue(), '', 'what was wrong is not kept')
  await scene
    .as(scene.admin)
    .put('/api/v1/users/permissions')
    .send({ userID: user.id.toHexString(), status: 1 })
    .expect(200)
  await logIn(user)
  await page.getByRole('heading', { level: 1, name: 'Intents' }).waitFor()
  assert.deepEqual(complaints, [])
  await close()
}

/** Guessing is held off, and the page says for how long. */
export async function heldOff({ scene, open }: Stage): Promise<void> {
  const user = await scene.user({ username: 'guessed' })
  const { page, refused, close } = await open()
  await page.getByLabel('Username').fill(user.username)
  const button = page.getByRole('button', { name: 'Log in' })
  const alert = page.getByRole('alert')
  const held = alert.getByText('Too many attempts.')
  // Each guess that is compared makes the wait before the next one longer: one of them comes too early.
  for (let guesses = 0; guesses < 12 && (await held.count()) === 0; guesses++) {
    await page.getByLabel('Password', { exact: true }).fill('a guess')
    const answered = page.waitForResponse('**/auth/session')
    await button.click()
    await answered
    await settled(page)
  }
  await held.waitFor()
  await alert.getByText(/^(Try again in \d+ s\.|You can try again now\.)$/).waitFor()
  assert.equal(refused.at(-1), '429 POST /api/v1/auth/session')
  await close()
}

/** Two windows of one browser share the cookie: after another login the first goes on, or says who one is now. */
export async function twoWindows({ scene, open }: Stage): Promise<void> {
  const other = await scene.user({ username: 'erin', policies: ['schedule_strategy.read'] })
  const { page, context, logIn, at, refused, complaints, close } = await open()
  await logIn(scene.admin)
  await at('#/users', 'Users')
  /** As another window logs in. */
  const elsewhere = async ({ username, password }: { username: string; password: string }): Promise<void> => {
    const { origin } = new URL(page.url())
    const answered = await context.request.post(`${origin}/api/v1/auth/session`, {
      headers: { origin },
      data: { username, password },
    })
    assert.equal(answered.status(), 200)
  }
  const create = async (username: string): Promise<void> => {
    await page.getByRole('button', { name: 'New user' }).click()
    await page.getByLabel('Username').fill(username)
    await page.getByRole('button', { name: 'Make one up' }).click()
    await page.getByRole('button', { name: 'Create the user' }).click()
  }
  await elsewhere(scene.admin)
  await create('frank')
  await page.getByRole('row').filter({ hasText: 'frank' }).waitFor()
  assert.deepEqual(refused.splice(0), ['403 POST /api/v1/users'], 'once, and again with the token of the new session')
  await elsewhere(other)
  await create('grace')
  await page.getByText('In another window of this browser erin has logged in.').waitFor()
  await page.getByText('You may not see this.').waitFor()
  assert.equal(await scene.store.users.findOne({ username: 'grace' }), null, 'nothing was done under another name')
  assert.deepEqual(complaints, [])
  await close()
}

/** The network, what is in front, and the manager itself, each failing in its own words; and the way on from there. */
export async function cut({ scene, open }: Stage): Promise<void> {
  const { page, context, logIn, at, complaints, close } = await open()
  await logIn(scene.admin)
  await at('#/strategies', 'Strategies')
  await page.getByRole('link', { name: 'New strategy' }).first().click()
  await page.getByLabel('Namespaces of pods').fill('shop')
  const create = page.getByRole('button', { name: 'Create the strategy' })
  const alert = page.getByRole('alert')
  await context.setOffline(true)
  await create.click()
  await alert.getByText('The manager cannot be reached.').waitFor()
  await alert.getByText('Nobody knows whether the change was made').waitFor()
  await context.setOffline(false)

  // Stored, and the answer lost on its way: asked again, it is not stored twice.
  await page.route('**/api/v1/strategies', async (route) => {
    await route.fetch()
    await route.abort()
  })
  await create.click()
  await alert.getByText('The manager cannot be reached.').waitFor()
  await page.unroute('**/api/v1/strategies')
  assert.equal((await scene.stored()).strategies.length, 1)
  await create.click()
  await page.getByText('The strategy is stored.').waitFor()
  assert.equal((await scene.stored()).strategies.length, 1)

  const answers = [
    [503, 'text/plain', 'no healthy upstream', 'Something in front of the manager could not reach it.'],
    [403, 'text/plain', 'RBAC: access denied', 'A wall in front of the manager refuses this.'],
    [
      503,
      'application/json',
      '{"success":false,"error":"x","code":"UNAVAILABLE","requestId":"r-1"}',
      'The manager’s database does not answer.',
    ],
    [
      500,
      'application/json',
      '{"success":false,"error":"Internal Server Error","code":"INTERNAL","requestId":"r-2"}',
      'The manager has failed.',
    ],
    [200, 'text/html', '<h1>a portal</h1>', 'Something in front of the manager could not reach it.'],
  ] as const
  for (const [status, contentType, body, told] of answers) {
    await page.route('**/api/v1/strategies/self?*', (route) => route.fulfill({ status, contentType, body }))
    await at('#/', 'Overview')
    await page.evaluate('location.hash = "#/strategies"')
    await alert.getByText(told).waitFor()
    await page.unroute('**/api/v1/strategies/self?*')
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.getByRole('row').filter({ hasText: 'pods of shop' }).waitFor()
    await alert.waitFor({ state: 'detached' })
  }
  await settled(page)
  assert.deepEqual(complaints, [])
  await close()
}
