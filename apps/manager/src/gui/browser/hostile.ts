import assert from 'node:assert/strict'
import { pod } from '../../testing/scheduling.js'
import { type Stage, settled } from '../testing/stage.js'

const MARKUP = '<img src=x onerror=alert(1)>'
const SCRIPT = '"><script>alert(2)</script>'

/** Whatever somebody has named something, it is text here. */
export async function hostile({ scene, open }: Stage): Promise<void> {
  const by = scene.as(scene.admin)
  await scene.user({ username: MARKUP })
  await by
    .post('/api/v1/users')
    .send({ username: `javascript:alert(3)${SCRIPT}`, password: 'a password' })
    .expect(200)
  await by.post('/api/v1/roles').send({ name: MARKUP, description: SCRIPT }).expect(200)
  scene.cluster.setPod(
    pod('evil', 'evil', `node${MARKUP}`, 'shop', {
      labels: { app: 'evil', x: SCRIPT },
      containers: [{ command: 'x<y' }],
    } as object),
  )
  await by
    .post('/api/v1/strategies')
    .send({ k8sNamespace: ['shop'], labelSelectors: [{ key: 'app', value: 'evil' }] })
    .expect(201)
  scene.push.read = () =>
    Promise.resolve({
      pods: [{ podUid: MARKUP, processes: [{ pid: 1, command: SCRIPT }] }],
      timestamp: MARKUP,
      nodeName: MARKUP,
    })

  const { page, logIn, at, complaints, close } = await open()
  const dialogs: string[] = []
  page.on('dialog', async (dialog) => {
    dialogs.push(dialog.message())
    await dialog.dismiss()
  })
  await logIn(scene.admin)
  await at('#/users', 'Users')
  await page.getByRole('rowheader', { name: MARKUP }).waitFor()
  await page.getByRole('button', { name: `Roles and status of ${MARKUP}` }).click()
  await page.getByRole('checkbox', { name: MARKUP }).check()
  await page.getByRole('button', { name: 'Store' }).click()
  await page.getByRole('row').filter({ hasText: MARKUP }).first().waitFor()
  await at('#/roles', 'Roles')
  await page.getByText(SCRIPT).waitFor()
  await at('#/intents', 'Intents')
  await page.getByRole('tab', { name: `node${MARKUP}` }).waitFor()
  await page.locator('summary').first().click()
  await page.getByText(`x=${SCRIPT}`).waitFor()
  await at('#/nodes/node-1', 'Node node-1')
  await page.getByRole('button', { name: 'Load' }).click()
  await page.locator('summary').filter({ hasText: MARKUP }).click()
  await page.getByRole('cell', { name: SCRIPT }).waitFor()
  await page.evaluate(`location.hash = ${JSON.stringify(`#/${MARKUP}`)}`)
  await page.getByRole('heading', { name: 'Nothing here' }).waitFor()
  await at('#/audit', 'Audit log')
  await settled(page)
  assert.equal(await page.locator('img, script:not([type="module"]):not([type="importmap"]), iframe').count(), 0)
  assert.deepEqual(dialogs, [])
  assert.deepEqual(complaints, [])

  // And if markup came in all the same: nothing that stands in the page would run, and no text can become markup.
  const ran = await page.evaluate<string>(`(() => {
    const script = document.createElement('script')
    try { script.text = 'globalThis.ran = true'; document.body.append(script) } catch { return 'trusted types' }
    return String(globalThis.ran)
  })()`)
  assert.equal(ran, 'trusted types')
  const inner = await page.evaluate<string>(`(() => {
    try { document.body.innerHTML = '<p>x' } catch { return 'trusted types' }
    return 'taken'
  })()`)
  assert.equal(inner, 'trusted types')
  await close()
}

/** What a script could take away: nothing that lets anybody in. */
export async function nothingToTake({ scene, open }: Stage): Promise<void> {
  const { page, context, logIn, at, close } = await open()
  await logIn(scene.admin)
  await at('#/users', 'Users')
  const [cookie] = await context.cookies()
  assert.ok(cookie?.value.split('.').length === 3, 'it is there')
  const seen = await page.evaluate<string>(
    `JSON.stringify([document.cookie, { ...localStorage }, { ...sessionStorage }, location.href, document.documentElement.outerHTML])`,
  )
  for (const part of cookie.value.split('.')) assert.ok(!seen.includes(part))
  assert.deepEqual(JSON.parse(seen).slice(0, 3), ['', {}, {}])
  // A token in the address logs nobody in (the original's page took it).
  const other = await open()
  await other.page.goto(`${new URL(page.url()).origin}/?token=${scene.admin.token}`)
  await other.page.getByRole('button', { name: 'Log in' }).waitFor()
  await other.close()
  await close()
}
