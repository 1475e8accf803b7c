import type { Sight } from './stage.js'
import { settled } from './stage.js'

/** A screen, and how one gets it to show all that it has. */
export interface ShownScreen {
  readonly name: string
  readonly show: (sight: Sight) => Promise<void>
}

export interface Furnished {
  readonly strategy: string
  readonly role: string
}

/** All that somebody who may everything can see. */
export function screensOf({ strategy, role }: Furnished): readonly ShownScreen[] {
  const place =
    (hash: string, heading: string, and: (sight: Sight) => Promise<void> = async () => {}) =>
    async (sight: Sight): Promise<void> => {
      await sight.at(hash, heading)
      await and(sight)
      await settled(sight.page)
    }
  const unfold = async ({ page }: Sight): Promise<void> => {
    for (const summary of (await page.locator('summary').all()).slice(0, 2)) await summary.click()
  }
  const press =
    (name: string | RegExp) =>
    async ({ page }: Sight): Promise<void> => {
      await page.getByRole('button', { name }).first().click()
      await page.getByRole('dialog').waitFor()
    }
  return [
    { name: 'overview', show: place('#/', 'Overview') },
    { name: 'strategies', show: place('#/strategies', 'Strategies') },
    { name: 'strategy-delete', show: place('#/strategies', 'Strategies', press(/^Delete the strategy/)) },
    { name: 'strategy-new', show: place('#/strategies/new', 'New strategy') },
    {
      name: 'strategy-wrong',
      show: place('#/strategies/new', 'New strategy', async ({ page }) => {
        await page.getByLabel('Command').fill('(?=x)')
        await page.getByLabel('Priority').fill('21')
        await page.getByRole('button', { name: 'Create the strategy' }).click()
        await page.getByRole('alert').waitFor()
      }),
    },
    {
      name: 'strategy',
      show: place(`#/strategies/${strategy}`, `Change the strategy …${strategy.slice(-6)}`, async ({ page }) =>
        page.getByLabel('Command').waitFor(),
      ),
    },
    { name: 'intents', show: place('#/intents', 'Intents', unfold) },
    { name: 'nodes', show: place('#/nodes', 'Nodes') },
    {
      name: 'node',
      show: place('#/nodes/node-1', 'Node node-1', async (sight) => {
        await sight.page.getByRole('button', { name: 'Load' }).click()
        await sight.page.getByText('2 processes').waitFor()
        await unfold(sight)
      }),
    },
    { name: 'users', show: place('#/users', 'Users') },
    { name: 'user-new', show: place('#/users', 'Users', press('New user')) },
    {
      name: 'user-roles',
      show: place('#/users', 'Users', async (sight) => {
        await press('Roles and status of alice@example.com')(sight)
        await sight.page.getByRole('checkbox', { name: 'shop-tuner' }).waitFor()
      }),
    },
    { name: 'user-reset', show: place('#/users', 'Users', press('Reset password of alice@example.com')) },
    { name: 'roles', show: place('#/roles', 'Roles', unfold) },
    {
      name: 'role-new',
      show: place('#/roles/new', 'New role', async ({ page }) => page.getByText('Create users').waitFor()),
    },
    {
      name: 'role',
      show: place(`#/roles/${role}`, 'Change the role shop-tuner', async ({ page }) =>
        page.getByText('Create users').waitFor(),
      ),
    },
    { name: 'audit', show: place('#/audit', 'Audit log') },
    { name: 'password', show: place('#/password', 'Change your password') },
    { name: 'nothing-here', show: place('#/nowhere/at/all', 'Nothing here') },
  ]
}
