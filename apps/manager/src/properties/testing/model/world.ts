import { Acts } from './acts.js'
import { Refused, refuse } from './refusals.js'
import type { Entry, Intent, Pod, Role, Strategy, Ticket, User } from './things.js'

/** An answer, as far as the model knows: ids and times it does not. */
export interface Reply {
  readonly status: number
  readonly error?: string
  readonly code?: string
  readonly data?: unknown
  /** The version that the ETag names. */
  readonly version?: number
}

/** Which version a call says it has read: none, the one that there is, or another. */
export type Match = 'none' | 'current' | 'other'

/** What an act comes to when it is not refused. */
export interface Done {
  readonly data?: unknown
  readonly version?: number
  readonly status?: number
}

/** One operation of the contract. */
export interface Rule<I> {
  /** A permission's key; or whoever is logged in, or anybody at all; or a scheduler, of this node. */
  readonly needs: string
  /** What the audit log calls it. */
  readonly noted?: string
  /** Whose name the audit log has, where nobody is known to call. */
  readonly names?: (world: World, input: I) => User | undefined
  readonly does: (world: World, input: I, caller: User) => Done
  /** Of a rule for schedulers: the node that is spoken of. */
  readonly node?: (input: I) => string
}

/** What the first answer to a request with this key was. */
export interface Kept {
  readonly user: User
  readonly key: string
  readonly request: string
  readonly strategy: Strategy
  readonly intents: number
}

/** What a scheduler has said: which pod it is, and what it has; undefined: something that nobody ever sent it. */
export interface Report {
  readonly pod: Pod
  readonly has: readonly Intent[] | undefined
}

/** Which node's scheduler calls: a user is none, whoever he is. */
function schedulerOf(ticket: Ticket): string {
  if (ticket === 'none') return refuse('AUTHORIZATION_MISSING')
  if (ticket === 'malformed') return refuse('AUTHORIZATION_MALFORMED')
  return typeof ticket === 'object' && 'scheduler' in ticket ? ticket.scheduler : refuse('TOKEN_INVALID')
}

const nobody: User = { name: '', password: '', status: 2, roles: [], version: 0, era: 0 }

/** Everything that is stored, and everything outside that answers depend on. */
export class World {
  readonly users: User[] = []
  readonly roles: Role[] = []
  readonly strategies: Strategy[] = []
  readonly intents: Intent[] = []
  readonly kept: Kept[] = []
  readonly audit: Entry[] = []
  readonly acts: Acts
  readonly nodes: ReadonlyMap<string, 'Ready' | 'NotReady' | 'Unknown'>
  /** Of the cluster, now; in the order in which they came. */
  pods: readonly Pod[]
  /** Whether anybody knows what is in the cluster. */
  synced = true
  /** Nodes that have a scheduler. */
  readonly schedulers: Set<string>
  /** What each scheduler has said last, by node. */
  readonly reports = new Map<string, Report>()
  /** What each scheduler was told last: the pods. */
  readonly told = new Map<string, readonly string[]>()

  /** All that there may be. */
  readonly everyPod: readonly Pod[]

  constructor(given: Pick<World, 'nodes' | 'pods'> & { readonly namespaces: readonly string[] }) {
    this.acts = new Acts(given.namespaces)
    this.nodes = given.nodes
    this.pods = given.pods
    this.everyPod = given.pods
    this.schedulers = new Set(given.nodes.keys())
  }

  call<I>({ needs, noted, names, does, node }: Rule<I>, ticket: Ticket, input: I): Reply {
    let known: User | undefined
    let scheduler: string | undefined
    const note = (outcome: Entry['outcome'], code?: string): void => {
      if (noted === undefined) return
      if (needs === 'scheduler') {
        // Who is none leaves no trace, and what goes well comes all the time.
        if (scheduler !== undefined && outcome !== 'ok')
          this.audit.push({ username: `scheduler:${scheduler}`, action: noted, outcome, code })
        return
      }
      // Of strangers, what was decided about them: in or out.
      if (known === undefined && (needs !== 'anybody' || (code !== undefined && code !== 'LOGIN_FAILED'))) return
      this.audit.push({ username: (known ?? names?.(this, input))?.name, action: noted, outcome, code })
    }
    try {
      if (needs === 'scheduler') {
        scheduler = schedulerOf(ticket)
        if (scheduler !== node?.(input)) refuse('NOT_ITS_NODE')
      } else if (needs !== 'anybody') {
        const user = this.#userOf(ticket, needs)
        // Who is known and may not is in the log, too; whoever shows a dead token is not known.
        known = user
        this.#admit(ticket, needs, user)
      }
      const { status = 200, ...done } = does(this, input, known ?? nobody)
      note('ok')
      return { status, ...done }
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      note(error.status === 503 ? 'failed' : 'refused', error.code)
      return { status: error.status, error: error.message, code: error.code }
    }
  }

  /** Who calls (1.3, M1, M4). */
  #userOf(ticket: Ticket, needs: string): User {
    if (ticket === 'none') return refuse('AUTHORIZATION_MISSING')
    if (ticket === 'malformed') return refuse('AUTHORIZATION_MALFORMED')
    if (ticket === 'forged' || ticket === 'expired') return refuse('TOKEN_INVALID')
    if (ticket === 'of nobody') return refuse(needs === 'logged in' ? 'UNAUTHORIZED' : 'TOKEN_OF_NOBODY')
    // A scheduler is nobody here.
    if ('scheduler' in ticket) return refuse('TOKEN_INVALID')
    if (ticket.user.status === 2 || ticket.user.era !== ticket.era) return refuse('TOKEN_INVALID')
    return ticket.user
  }

  /** Whether he may (1.3, M2). */
  #admit(ticket: Ticket, needs: string, user: User): void {
    if (needs === 'logged in') return
    const mustChange = typeof ticket === 'object' && !('scheduler' in ticket) && ticket.mustChange
    if (mustChange || user.status === 3) refuse('PASSWORD_CHANGE_REQUIRED')
    if (!this.acts.may(user, needs)) refuse('PERMISSION_DENIED')
  }

  /** Whether a token would still let somebody in, and says what the database says. */
  isGood(ticket: Ticket | undefined): boolean {
    if (typeof ticket !== 'object' || 'scheduler' in ticket) return false
    const { user, era, mustChange } = ticket
    return user.status !== 2 && user.era === era && mustChange === (user.status === 3)
  }

  /** The thing of this number; undefined for one that there never was. */
  at<T>(list: readonly T[], number: number): T | undefined {
    return number < 0 ? undefined : list[number % list.length]
  }

  /** What the scheduler of this node should have. */
  dueAt(node: string): readonly Intent[] {
    return this.intents.filter((intent) => !intent.gone && intent.pod.node === node)
  }

  /** Each scheduler that there is gets the whole set of its node (M15); those nodes. */
  tell(nodes: Iterable<string>): ReadonlySet<string> {
    const reached = new Set<string>()
    for (const node of nodes) {
      if (node === '' || !this.schedulers.has(node)) continue
      const set = this.intents.filter((intent) => !intent.gone && intent.pod.node === node)
      for (const intent of set) intent.state = 2
      this.told.set(
        node,
        set.map(({ pod }) => pod.name),
      )
      reached.add(node)
    }
    return reached
  }
}

/** @throws Refused when another version was read than there is */
export function requireMatch(match: Match): void {
  if (match === 'other') refuse('VERSION_CONFLICT')
}
