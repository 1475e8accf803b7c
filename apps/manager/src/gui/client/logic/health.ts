/** `closed`: something in front of the manager does not let the outside ask. */
export type Health = 'good' | 'bad' | 'closed' | 'silent'

export interface Checked {
  readonly health: Health
  readonly says: string
}

export const paths = [
  { path: '/health', what: 'does it answer?' },
  { path: '/livez', what: 'is the process well?' },
  { path: '/readyz', what: 'has it what it needs?' },
] as const

/** As many as the original's page kept. */
const KEPT = 10

export const remember = (before: readonly Checked[], one: Checked): readonly Checked[] => [...before, one].slice(-KEPT)

/** What an answer of a probe says; undefined: there was none. */
export function checkedOf(
  answer: { readonly status: number; readonly body: unknown } | undefined,
  ms: number,
): Checked {
  if (answer === undefined) return { health: 'silent', says: 'it cannot be reached' }
  const { status, body } = answer
  const took = `${Math.round(ms)} ms`
  const own = typeof body === 'object' && body !== null
  if (status === 403 && !own) return { health: 'closed', says: 'a policy of the gateway keeps it inside' }
  if (status === 200) return { health: 'good', says: took }
  const failed = own && 'checks' in body ? failedOf(body.checks) : ''
  return { health: 'bad', says: failed === '' ? `status ${status}` : failed }
}

const failedOf = (checks: unknown): string =>
  typeof checks === 'object' && checks !== null
    ? Object.entries(checks)
        .filter(([, result]) => result !== 'ok')
        .map(([name, result]) => `${name}: ${String(result)}`)
        .join(', ')
    : ''
