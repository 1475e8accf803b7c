import type { Api } from './client.js'
import type { AuditEntry, Intent, Node, Page, Permission, Role, Scheduler, Strategy, User } from './types.js'

type Query = Readonly<Record<string, string | number | undefined>>

/** The lists of the API, by the name that their answers have them under. */
interface Lists {
  readonly strategies: Strategy
  readonly intents: Intent
  readonly nodes: Node
  readonly schedulers: Scheduler
  readonly users: User
  readonly roles: Role
  readonly permissions: Permission
  readonly entries: AuditEntry
}

const paths: Readonly<Record<keyof Lists, string>> = {
  strategies: '/strategies/self',
  intents: '/intents/self',
  nodes: '/nodes',
  schedulers: '/schedulers',
  users: '/users',
  roles: '/roles',
  permissions: '/permissions',
  entries: '/audit',
}

/** One page of a list. */
export async function pageOf<K extends keyof Lists>(
  api: Api,
  list: K,
  query: Query,
  signal: AbortSignal,
): Promise<Page<Lists[K]>> {
  const data = await api.request<Readonly<Record<K, readonly Lists[K][]>> & { readonly nextCursor?: string }>(
    'GET',
    paths[list],
    { query, signal },
  )
  return { items: data[list], next: data.nextCursor }
}

/** The largest page that there is. */
const WHOLE_PAGE = 200

/** All of a list, up to a number of pages; `next` where there is still more. */
export async function allOf<K extends keyof Lists>(
  api: Api,
  list: K,
  signal: AbortSignal,
  query: Query = {},
  mostPages = 5,
): Promise<Page<Lists[K]>> {
  const items: Lists[K][] = []
  let next: string | undefined
  for (let page = 0; page < mostPages; page++) {
    const read: Page<Lists[K]> = await pageOf(api, list, { ...query, limit: WHOLE_PAGE, cursor: next }, signal)
    items.push(...read.items)
    next = read.next
    if (next === undefined) break
  }
  return { items, next }
}
