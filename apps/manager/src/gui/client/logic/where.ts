/** Where somebody is on the page: what stands behind the `#`. */
export type Where =
  | {
      readonly screen:
        | 'overview'
        | 'strategies'
        | 'strategy-new'
        | 'intents'
        | 'nodes'
        | 'users'
        | 'roles'
        | 'role-new'
        | 'audit'
        | 'password'
    }
  | { readonly screen: 'strategy' | 'role'; readonly id: string }
  | { readonly screen: 'node'; readonly name: string }
  | { readonly screen: 'nowhere'; readonly text: string }

const plain = {
  '': 'overview',
  strategies: 'strategies',
  'strategies/new': 'strategy-new',
  intents: 'intents',
  nodes: 'nodes',
  users: 'users',
  roles: 'roles',
  'roles/new': 'role-new',
  audit: 'audit',
  password: 'password',
} as const

/** Reads it; what is none of the page's places is `nowhere`. */
export function whereOf(hash: string): Where {
  const path = hash.replace(/^#?\/?/, '').replace(/\/$/, '')
  if (Object.hasOwn(plain, path)) return { screen: plain[path as keyof typeof plain] }
  const [first = '', second = '', ...more] = path.split('/')
  if (more.length === 0 && (first === 'strategies' || first === 'roles') && /^[0-9a-f]{24}$/.test(second))
    return { screen: first === 'roles' ? 'role' : 'strategy', id: second }
  if (more.length === 0 && first === 'nodes') {
    const name = decoded(second)
    if (name !== undefined && name !== '') return { screen: 'node', name }
  }
  return { screen: 'nowhere', text: path.slice(0, 80) }
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

/** The link to a place. */
export function linkTo(where: Where): string {
  if (where.screen === 'strategy') return `#/strategies/${where.id}`
  if (where.screen === 'role') return `#/roles/${where.id}`
  if (where.screen === 'node') return `#/nodes/${encodeURIComponent(where.name)}`
  const path = Object.entries(plain).find(([, screen]) => screen === where.screen)?.[0] ?? ''
  return `#/${path}`
}
