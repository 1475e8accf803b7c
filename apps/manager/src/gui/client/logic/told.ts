import type { ApiError } from '../api/failure.js'

/** What a person is told of a failure: what happened, and what to do. */
export interface Told {
  readonly title: string
  readonly advice: string
  /** For whoever looks after the service. */
  readonly requestId?: string
  readonly retryAfterS?: number
}

const UNKNOWN_OUTCOME = 'Nobody knows whether the change was made: look before you repeat it.'

const words: Readonly<Record<string, readonly [title: string, advice: string]>> = {
  LOGIN_FAILED: [
    'Username or password is not right.',
    'Both are compared letter by letter. Who has forgotten a password has it reset by somebody who may.',
  ],
  PASSWORD_WRONG: ['The current password is not right.', 'Nothing was changed.'],
  PASSWORD_CHANGE_REQUIRED: ['Choose a password of your own first.', 'Until then nothing else is possible.'],
  PERMISSION_DENIED: [
    'You may not do this.',
    'None of your roles permits it, or not for these namespaces. Who looks after roles can change that, and it is in force at once.',
  ],
  NOT_SELF: ['You may do this to your own account alone.', 'Your role is limited to yourself.'],
  ORIGIN_REFUSED: [
    'The manager does not take this page for its own.',
    'Something on the way changes the host that the browser asks for. Open the page at the address that the manager is served at.',
  ],
  CSRF_TOKEN_INVALID: ['Your session has changed in another window.', 'Load the page again.'],
  VERSION_CONFLICT: [
    'Somebody else has changed it since you read it.',
    'Nothing of yours was stored. Look at what there is now, then decide again.',
  ],
  NO_PODS_MATCH: [
    'No pod matches.',
    'Nothing was stored. Look at the namespaces, the labels and the command: all of them have to match.',
  ],
  NAME_TAKEN: ['There is one of this name already.', 'Choose another name.'],
  LAST_ADMIN: ['Nobody would be left who can administer users and roles.', 'Give somebody else the role admin first.'],
  ROLE_IN_USE: ['Users hold this role.', 'Take it from them first, then delete it.'],
  CLUSTER_UNKNOWN: [
    'The manager does not know at the moment what is in the cluster.',
    'The Kubernetes API does not answer it. Try again later.',
  ],
  SCHEDULER_MISSING: ['No scheduler is known on this node.', 'Nobody there can say which processes run.'],
  SCHEDULER_UNAVAILABLE: ['The scheduler of this node does not answer as it should.', 'Try again in a moment.'],
  UNAVAILABLE: ['The manager’s database does not answer.', 'Try again in a moment.'],
  VALIDATION_FAILED: ['Something is not filled in as it should be.', 'The fields say what.'],
}

/** A failure in words. What the manager says itself is told where there are no better words for it here. */
export function tell({ failure, unsafe }: ApiError): Told {
  const doubt = unsafe ? ` ${UNKNOWN_OUTCOME}` : ''
  if (failure.kind === 'network')
    return {
      title: 'The manager cannot be reached.',
      advice: `Look whether it is running, and whether this machine is connected; then try again.${doubt}`,
    }
  if (failure.kind === 'timeout')
    return {
      title: `The manager has not answered within ${failure.seconds} seconds.`,
      advice: `It may be busy, or something on the way swallows the answer. Try again.${doubt}`,
    }
  if (failure.kind === 'stranger')
    return {
      title: strangers(failure.status),
      advice: `Its answer has the status ${failure.status}, and is not the manager’s.${failure.status >= 500 ? doubt : ''}`,
    }
  const { status, code, message, requestId, retryAfterS } = failure
  const known = words[code]
  // Who has filled in something wrong needs no log.
  const more = {
    ...(status >= 500 || known === undefined ? { requestId } : {}),
    ...(retryAfterS === undefined ? {} : { retryAfterS }),
  }
  if (status === 429)
    return {
      title: 'Too many attempts.',
      advice: 'The manager takes no more for a while, not even a right one.',
      ...more,
    }
  if (known !== undefined) return { title: known[0], advice: status >= 500 ? `${known[1]}${doubt}` : known[1], ...more }
  if (status >= 500)
    return {
      title: 'The manager has failed.',
      advice: `${message || 'It does not say why.'} Its log has more, under the id of this request.${doubt}`,
      ...more,
    }
  return { title: message === '' ? `The manager refuses this (${code}).` : sentence(message), advice: '', ...more }
}

const strangers = (status: number): string =>
  status === 403
    ? 'A wall in front of the manager refuses this.'
    : status === 404
      ? 'There is no such page at this address.'
      : status === 429
        ? 'Too many requests.'
        : 'Something in front of the manager could not reach it.'

/** With a capital at its beginning and a full stop at its end. */
export const sentence = (text: string): string =>
  text === '' ? '' : `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`
