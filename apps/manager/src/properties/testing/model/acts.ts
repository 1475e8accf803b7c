import type { Policy, Role, User } from './things.js'

/*
 * Who may what, told in another way than the service tells it: a policy is the set of single acts that it permits, and a user may what is in
 * any of his sets. Whoever may all acts of a policy holds it. "Elsewhere" stands for every namespace that has no name here.
 */

const ELSEWHERE = '(elsewhere)'

export class Acts {
  readonly #namespaces: readonly string[]

  constructor(namespaces: readonly string[]) {
    this.#namespaces = [...namespaces, ELSEWHERE]
  }

  /** On whom, on pods of which namespace, by strategies of which. */
  of({ permissionKey, self, k8sNamespace, policyNamespace }: Policy): string[] {
    const whom = self ? ['me'] : ['me', 'others']
    const pods = k8sNamespace === '' ? this.#namespaces : [k8sNamespace]
    const strategies = policyNamespace === '' ? this.#namespaces : [policyNamespace]
    return whom.flatMap((w) => pods.flatMap((p) => strategies.map((s) => [permissionKey, w, p, s].join(' '))))
  }

  #all({ roles }: User): Set<string> {
    return new Set(roles.flatMap(({ policies }) => policies.flatMap((policy) => this.of(policy))))
  }

  /** Whether he may call by this permission at all. */
  may(user: User, key: string): boolean {
    return [...this.#all(user)].some((act) => act.startsWith(`${key} `))
  }

  mayOn(user: User, key: string, whom: User | undefined): boolean {
    const who = whom === user ? 'me' : 'others'
    return [...this.#all(user)].some((act) => act.startsWith(`${key} ${who} `))
  }

  /** Whether he may do this to pods of all of these namespaces, none meaning every one, by a strategy of that one. */
  mayPlan(user: User, key: string, strategyNamespace: string, k8sNamespaces: readonly string[]): boolean {
    const own = this.#all(user)
    const strategies = strategyNamespace === '' ? ELSEWHERE : strategyNamespace
    const pods = k8sNamespaces.length === 0 ? this.#namespaces : k8sNamespaces
    return pods.every((pod) => own.has([key, 'me', pod, strategies].join(' ')))
  }

  /** Whether he may see pods of this namespace; undefined: of one that nobody knows. */
  maySeePods(user: User, key: string, k8sNamespace: string | undefined): boolean {
    return this.#namespaces.some((strategies) =>
      this.#all(user).has([key, 'me', k8sNamespace ?? ELSEWHERE, strategies].join(' ')),
    )
  }

  /** The first of the policies that he does not hold. */
  firstNotHeld(user: User, policies: readonly Policy[]): Policy | undefined {
    const own = this.#all(user)
    return policies.find((policy) => !this.of(policy).every((act) => own.has(act)))
  }

  /** The first of the roles that holds more than he does, and what. */
  firstBeyond(user: User, roles: readonly Role[]): { readonly role: Role; readonly policy: Policy } | undefined {
    for (const role of roles) {
      const policy = this.firstNotHeld(user, role.policies)
      if (policy !== undefined) return { role, policy }
    }
    return undefined
  }
}
