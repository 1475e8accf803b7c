import { z } from 'zod'
import { missing, ofType, saying } from '../http/fields.js'
import { OBJECT_ID } from '../http/ids.js'
import { userStatus } from '../store/documents.js'

export const MAX_USERNAME = 128
/** NIST SP 800-63B, 3.1.1.2: 8 at the least, and 64 must be possible. */
export const MIN_PASSWORD = 8
export const MAX_PASSWORD = 256

/**
 * No control characters, none that turn the direction of the text around them or that nobody sees (a name that looks like another's), no half of a
 * surrogate pair (it could not be stored as it is), no blank at either end. Joiners may be: some scripts are not written without.
 */
const TEXT =
  /^(?![\p{White_Space}])(?:(?![\p{Cc}\p{Cs}\p{Co}\p{Bidi_Control}\p{Noncharacter_Code_Point}\u2028\u2029\u200b\u2060\ufeff]).)*(?<![\p{White_Space}])$/u

/** A name of a user or a role. */
export const nameField = (most: number) =>
  z
    .string()
    .min(1, 'must not be empty')
    .max(most)
    .regex(TEXT, 'must not hold control characters or ones that nobody sees, nor begin or end with a blank')

export const username = nameField(MAX_USERNAME)

export const newPassword = z
  .string()
  .min(MIN_PASSWORD, `must have at least ${MIN_PASSWORD} characters`)
  .max(MAX_PASSWORD, `must have at most ${MAX_PASSWORD} characters`)
  .regex(/^\P{Cs}*$/u, 'must be well-formed text')

/** A password that is to be compared is held to no rule: those of when it was set counted. */
export const oldPassword = z.string().min(1, 'must not be empty').max(MAX_PASSWORD)

export const userId = z.string({ error: missing('USER_ID_INVALID') }).regex(OBJECT_ID, saying('USER_ID_INVALID'))

const STATUSES: readonly number[] = Object.values(userStatus)

/** `int8` in the original: what does not fit is no value of the type, and what is no status is not valid. */
export const status = z
  .int()
  .refine((value) => value >= -128 && value <= 127, { error: 'must be an 8-bit integer', params: ofType })
  .refine((value) => STATUSES.includes(value), 'must be 1 (active), 2 (inactive) or 3 (must change the password)')
