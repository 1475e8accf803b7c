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
