import type { PolicyDoc } from '../store/documents.js'

/*
 * What users, roles and passwords come to, told a second time and in another way than the service does it: a policy is the set
 * of single acts that it permits, whoever may all acts of it holds it. No database, no tokens, no HTTP.
 */

export interface ModelRole {
  name: string
  policies: readonly PolicyDoc[]
  readonly builtIn: boolean
}

export interface ModelUser {
  readonly name: string
  password: string
  status: number
  roles: ModelRole[]
  /** Counts what ends sessions. */
  era: number
}

/** What somebody once got when he logged in. */
export interface ModelToken {
  readonly user: ModelUser
  readonly era: number
  readonly mustChange: boolean
}

/** `ok`, or the code of the refusal. */
export type Outcome = string

const elsewhere = '(any other)'

/** The single acts of a policy: on whom, on pods of which namespace, by strategies of which. */
function actsOf(
  { permissionKey, self, k8sNamespace, policyNamespace }: PolicyDoc,
  namespaces: readonly string[],
): string[] {
  const whom = self ? ['me'] : ['me', 'others']
  const pods = k8sNamespace === '' ? [...namespaces, elsewhere] : [k8sNamespace]
  const strategies = policyNamespace === '' ? [...namespaces, elsewhere] : [policyNamespace]
  return whom.flatMap((w) => pods.flatMap((p) => strategies.map((s) => [permissionKey, w, p, s].join(' '))))
}

export class RbacModel {
  readonly users: ModelUser[] = []
  readonly roles: ModelRole[] = []
  readonly #namespaces: readonly string[]

  constructor(namespaces: readonly string[]) {
    this.#namespaces = namespaces
  }

  login(user: ModelUser, password: string): Outcome | ModelToken {
    if (user.status === 2 || user.password !== password) return 'LOGIN_FAILED'
    return { user, era: user.era, mustChange: user.status === 3 }
  }

  /** Whether the token lets its user act at all, and by this permission. */
  admit({ user, era, mustChange }: ModelToken, key: string | undefined): Outcome {
    if (user.status === 2 || user.era !== era) return 'TOKEN_INVALID'
    if (key === undefined) return 'ok'
    if (mustChange || user.status === 3) return 'PASSWORD_CHANGE_REQUIRED'
    return [...this.#acts(user)].some((act) => act.startsWith(`${key} `)) ? 'ok' : 'PERMISSION_DENIED'
  }

  createUser(token: ModelToken, name: string, password: string): Outcome {
    return this.#when(token, 'user.create', () => {
      if (this.users.some((user) => user.name === name)) return 'NAME_TAKEN'
      this.users.push({ name, password, status: 3, roles: [], era: 0 })
      return 'ok'
    })
  }

  changePassword(token: ModelToken, old: string, wanted: string): Outcome {
    return this.#when(token, undefined, () => {
      const { user } = token
      if (user.password !== old) return 'PASSWORD_WRONG'
      if (old === wanted) return 'VALIDATION_FAILED'
      user.password = wanted
      user.status = 1
      user.era++
      return 'ok'
    })
  }

  resetPassword(token: ModelToken, target: ModelUser, wanted: string): Outcome {
    return this.#when(token, 'user.password.reset', () => {
      if (!this.#reaches(token.user, 'user.password.reset', target)) return 'NOT_SELF'
      if (target !== token.user && !this.#covers(token.user, target.roles)) return 'GRANT_EXCEEDS_OWN'
      target.password = wanted
      if (target.status !== 2) target.status = 3
      target.era++
      return 'ok'
    })
  }

  setPermissions(
    token: ModelToken,
    target: ModelUser,
    roles: readonly ModelRole[] | undefined,
    status: number | undefined,
  ): Outcome {
    return this.#when(token, 'user.permission.update', () => {
      if (!this.#reaches(token.user, 'user.permission.update', target)) return 'NOT_SELF'
      const wanted = roles === undefined ? target.roles : [...new Set(roles)]
      if (wanted.some((role) => !this.roles.includes(role))) return 'ROLES_NOT_FOUND'
      const given = wanted.filter((role) => !target.roles.includes(role))
      if (!this.#covers(token.user, given)) return 'GRANT_EXCEEDS_OWN'
      const before = { roles: target.roles, status: target.status }
      const admins = this.#admins()
      target.roles = wanted
      target.status = status ?? target.status
      if (admins > 0 && this.#admins() === 0) {
        Object.assign(target, before)
        return 'LAST_ADMIN'
      }
      if (before.status !== 2 && target.status === 2) target.era++
      return 'ok'
    })
  }

  createRole(token: ModelToken, name: string, policies: readonly PolicyDoc[]): Outcome {
    return this.#when(token, 'role.create', () => {
      const role = { name, policies, builtIn: false }
      if (!this.#covers(token.user, [role])) return 'GRANT_EXCEEDS_OWN'
      if (this.roles.some((other) => other.name === name)) return 'NAME_TAKEN'
      this.roles.push(role)
      return 'ok'
    })
  }

  updateRole(
    token: ModelToken,
    role: ModelRole,
    name: string | undefined,
    policies: readonly PolicyDoc[] | undefined,
  ): Outcome {
    return this.#when(token, 'role.update', () => {
      if (!this.roles.includes(role)) return 'ROLE_UNKNOWN'
      if (role.builtIn && (policies !== undefined || (name ?? role.name) !== role.name)) return 'ROLE_BUILT_IN'
      const written = new Set(role.policies.map((policy) => JSON.stringify(policy)))
      const fresh = (policies ?? []).filter((policy) => !written.has(JSON.stringify(policy)))
      if (!this.#covers(token.user, [{ name: '', policies: fresh, builtIn: false }])) return 'GRANT_EXCEEDS_OWN'
      if (this.roles.some((other) => other !== role && other.name === name)) return 'NAME_TAKEN'
      role.name = name ?? role.name
      role.policies = policies ?? role.policies
      return 'ok'
    })
  }

  deleteRole(token: ModelToken, role: ModelRole): Outcome {
    return this.#when(token, 'role.delete', () => {
      if (!this.roles.includes(role)) return 'ROLE_NOT_FOUND'
      if (role.builtIn) return 'ROLE_BUILT_IN'
      if (this.users.some((user) => user.roles.includes(role))) return 'ROLE_IN_USE'
      this.roles.splice(this.roles.indexOf(role), 1)
      return 'ok'
    })
  }

  #when(token: ModelToken, key: string | undefined, act: () => Outcome): Outcome {
    const admitted = this.admit(token, key)
    return admitted === 'ok' ? act() : admitted
  }

  #acts(user: ModelUser): Set<string> {
    return new Set(user.roles.flatMap((role) => role.policies.flatMap((policy) => actsOf(policy, this.#namespaces))))
  }

  /** Whether the user may everything that these roles permit. */
  #covers(user: ModelUser, roles: readonly ModelRole[]): boolean {
    const own = this.#acts(user)
    return roles.every(({ policies }) =>
      policies.every((policy) => actsOf(policy, this.#namespaces).every((act) => own.has(act))),
    )
  }

  #reaches(user: ModelUser, key: string, target: ModelUser): boolean {
    const whom = target === user ? 'me' : 'others'
    return [...this.#acts(user)].some((act) => act.startsWith(`${key} ${whom} `))
  }

  #admins(): number {
    return this.users.filter(({ status, roles }) => status !== 2 && roles.some(({ builtIn }) => builtIn)).length
  }
}
