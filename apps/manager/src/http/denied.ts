import { ServiceError } from '@bulkhead/service-kit'
import { managerErrors } from './errors.js'
import type { Caller } from './route.js'

/** A refusal of somebody who is known: it is in the audit log under his name. */
export class Denied extends ServiceError {
  readonly caller: Caller

  constructor(code: 'PERMISSION_DENIED' | 'PASSWORD_CHANGE_REQUIRED', caller: Caller) {
    const { status, message } = managerErrors.table[code]
    super(code, status, message)
    this.caller = caller
  }
}

/** As long as the name of any object of Kubernetes may be. */
const MAX_NAME = 253

/** What the audit log calls the scheduler of a node. */
export const schedulerName = (node: string): string => `scheduler:${node.slice(0, MAX_NAME)}`

/** A refusal of a scheduler that has shown who it is: it asked for what is another node's. */
export class DeniedScheduler extends ServiceError {
  /** Its own. */
  readonly node: string

  constructor(node: string) {
    const { status, message } = managerErrors.table.NOT_ITS_NODE
    super('NOT_ITS_NODE', status, message)
    this.node = node
  }
}
