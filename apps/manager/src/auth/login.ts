import { z } from 'zod'
import { managerErrors } from '../http/errors.js'
import { missing, saying } from '../http/fields.js'
import { type Call, defineRoute, type Route } from '../http/route.js'
import { type UserDoc, userStatus } from '../store/documents.js'
import { MAX_PASSWORD, MAX_USERNAME } from '../users/fields.js'
import type { Identity } from './identity.js'

const required = (most: number) =>
  z
    .string({ error: missing('CREDENTIALS_REQUIRED') })
    .min(1, saying('CREDENTIALS_REQUIRED'))
    .max(most)

export const credentialsBody = z.object({ username: required(MAX_USERNAME), password: required(MAX_PASSWORD) })

export const LOGIN_ERRORS = [
  'INVALID_BODY',
  'CREDENTIALS_REQUIRED',
  'VALIDATION_FAILED',
  'LOGIN_FAILED',
  'TOO_MANY_ATTEMPTS',
] as const

/** What a login is made of, whichever way its token goes out. */
type LoginCall = Pick<
  Call<unknown, unknown, z.infer<typeof credentialsBody>>,
  'body' | 'ip' | 'authorization' | 'about' | 'who'
>

export type LogIn = (call: LoginCall) => Promise<{ readonly user: UserDoc; readonly token: string }>

/**
 * Logs somebody in. One answer for a name that is not there, a password that is wrong and a user who is inactive, after the same work: what there
 * is of accounts is not to be learned here.
 */
export function createLogin({ store, tokens, passwords, throttle }: Identity): LogIn {
  const find = (username: string) => store.users.findOne({ username })

  /** A token that this user was given once, valid or not: who has it is not one of the strangers who guess. */
  const deviceOf = async (authorization: string | undefined, username: string): Promise<string | undefined> => {
    if (!authorization?.startsWith('Bearer ')) return undefined
    const token = authorization.slice('Bearer '.length)
    const owner = await tokens.ownerOf(token)
    if (owner === undefined || (await find(username))?._id.toHexString() !== owner) return undefined
    // What is signed, without the signature: that can be written in many ways, each of them right.
    return token.slice(0, token.lastIndexOf('.'))
  }

  return async ({ body: { username, password }, ip, authorization, about, who }) => {
    const device = await deviceOf(authorization, username)
    const turn = await throttle.enter({ account: username, ip, device })
    try {
      const user = await find(username)
      if (user !== null) {
        about(`users/${user._id.toHexString()}`)
        who({ username })
      }
      const right = await passwords.verify(user?.password, password, ip, turn.known)
      const status = Number(user?.status)
      if (user === null || !right || status === userStatus.inactive) {
        turn.failed()
        throw managerErrors.error('LOGIN_FAILED')
      }
      turn.succeeded()
      who({ id: user._id, username })
      const token = await tokens.sign({
        uid: user._id.toHexString(),
        needChangePassword: status === userStatus.mustChangePassword,
        tv: Number(user.tokenVersion),
      })
      return { user, token }
    } finally {
      turn.drop()
    }
  }
}

/** POST /auth/login. */
export function login(identity: Identity): Route {
  const logIn = createLogin(identity)
  return defineRoute({
    method: 'POST',
    path: '/api/v1/auth/login',
    operationId: 'login',
    tag: 'auth',
    summary:
      'Logs in. A token that this user was given before, sent along as Authorization, keeps him apart from strangers who try to guess his password.',
    permission: 'none',
    audit: 'auth.login',
    body: credentialsBody,
    answer: z.object({ token: z.string() }),
    errors: LOGIN_ERRORS,
    handle: async (call) => ({ data: { token: (await logIn(call)).token } }),
  })
}
