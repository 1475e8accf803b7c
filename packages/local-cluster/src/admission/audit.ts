import type { Admission } from '@bulkhead/verdict/admission'
import { ClusterError } from '../errors.js'

/** A change that was refused, as an audit log of the API server has it. */
export interface RefusedRequest {
  /** When it was answered, RFC 3339. */
  readonly time: string
  /** `Kind/namespace/name` of the object that was not admitted, or whose pods were not. */
  readonly id: string
  /** All that refused it: `ValidatingPolicy/disallow-root-user`, `Namespace/shop`. */
  readonly policies: readonly string[]
}

/** As many as are kept: the oldest go first. */
const kept = 1000

/** Who was refused what, since the target was started. */
export class Audit {
  readonly #refused: RefusedRequest[] = []

  get refused(): readonly RefusedRequest[] {
    return this.#refused
  }

  /** What came of a change: rejects as it does, and remembers it where admission refused it. */
  async follow<T>(change: Promise<T>): Promise<T> {
    try {
      return await change
    } catch (error) {
      if (error instanceof ClusterError) this.#add(error.admissions)
      throw error
    }
  }

  #add(admissions: readonly Admission[]): void {
    const time = new Date().toISOString()
    for (const admission of admissions) {
      const policies = [...refusing(admission), ...(admission.pod === undefined ? [] : refusing(admission.pod))]
      if (policies.length > 0) this.#refused.push({ time, id: admission.object.id, policies: [...new Set(policies)] })
    }
    this.#refused.splice(0, this.#refused.length - kept)
  }
}

const refusing = ({ outcome, steps }: Admission): readonly string[] =>
  outcome === 'deny' ? steps.flatMap(({ outcome: said, policy }) => (said === 'deny' ? (policy ?? []) : [])) : []
