import { z } from 'zod'
import { managerErrors } from '../../http/errors.js'
import { defineRoute, type Route } from '../../http/route.js'
import { policyView } from '../../roles/list-roles.js'
import type { UserDoc } from '../../store/documents.js'
import type { Store } from '../../store/types.js'
import { shown, userView, viewUsers } from '../../users/view.js'
import { bearerOf } from '../bearer.js'
import type { Identity } from '../identity.js'
import { createLogin, credentialsBody, LOGIN_ERRORS } from '../login.js'
import { policiesByKey } from '../rbac.js'
import { clearCookie, setCookie } from './cookie.js'
import { endSession } from './end.js'

const PATH = '/api/v1/auth/session'
const tag = 'auth'

const session = z.object({
  user: userView,
  permissions: z.array(policyView).describe('What his roles let him do: all policies of them'),
  expiresAt: z.string().describe('RFC 3339, UTC: when he has to log in again'),
  csrfToken: z
    .string()
    .optional()
    .describe('For X-CSRF-Token; absent where the token came in a header, which nobody can forge'),
})

type Shown = Pick<UserDoc, '_id' | keyof typeof shown>

/** What a page has to know of who looks at it. */
async function viewOf(store: Store, user: Shown) {
  const [view] = await viewUsers(store, [user])
  if (view === undefined) throw managerErrors.error('UNAUTHORIZED')
  const roles = user.roleIds.length === 0 ? [] : await store.roles.find({ _id: { $in: [...user.roleIds] } }).toArray()
  const permissions = [...policiesByKey(roles).values()]
    .flat()
    .map(({ permissionKey, self, k8sNamespace, policyNamespace }) => ({
      permissionKey,
      self,
      k8sNamespace,
      policyNamespace,
    }))
  return { user: view, permissions }
}

const timeOf = (seconds: number): string => `${new Date(seconds * 1_000).toISOString().slice(0, 19)}Z`

/** Sessions of browsers: the same token as a login's, in a cookie that no script can read. */
export function sessionRoutes(identity: Identity): Route[] {
  const { store, tokens, csrf, now } = identity
  const logIn = createLogin(identity)

  return [
    defineRoute({
      method: 'POST',
      path: PATH,
      operationId: 'createSession',
      tag,
      summary: 'Logs a browser in: the token goes into a cookie that no script can read. Programs use /auth/login.',
      permission: 'none',
      audit: 'auth.login',
      body: credentialsBody,
      answer: session,
      errors: [...LOGIN_ERRORS, 'ORIGIN_REFUSED'],
      handle: async (call) => {
        // Else another site's page could log its visitor in as somebody else, who then reads along.
        if (call.credentials.origin !== 'own') throw managerErrors.error('ORIGIN_REFUSED')
        const { user, token } = await logIn(call)
        const { session: made } = await tokens.verify(token)
        const { secure } = call.credentials
        return {
          data: {
            ...(await viewOf(store, user)),
            expiresAt: timeOf(made?.until ?? 0),
            csrfToken: csrf.of(token),
          },
          headers: { 'set-cookie': setCookie(token, secure) },
        }
      },
    }),
    defineRoute({
      method: 'GET',
      path: PATH,
      operationId: 'getSession',
      tag,
      summary: 'Who is logged in, what he may do, and until when.',
      permission: 'token',
      answer: session,
      errors: [],
      handle: async ({ caller, authorization, credentials }) => {
        const token = bearerOf(authorization)
        const claims = await tokens.verify(token)
        const user = caller && (await store.users.findOne<Shown>({ _id: caller.id }, { projection: shown }))
        if (!user) throw managerErrors.error('UNAUTHORIZED')
        return {
          data: {
            ...(await viewOf(store, user)),
            expiresAt: timeOf(claims.session?.until ?? 0),
            ...(credentials.by === 'cookie' ? { csrfToken: csrf.of(token) } : {}),
          },
        }
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: PATH,
      operationId: 'deleteSession',
      tag,
      summary: 'Logs out: the token that it is asked with is worthless at once, and the cookie is taken back.',
      permission: 'token',
      audit: 'auth.logout',
      errors: [],
      handle: async ({ caller, authorization, credentials, about }) => {
        if (caller === undefined) throw managerErrors.error('UNAUTHORIZED')
        about(`users/${caller.id.toHexString()}`)
        const claims = await tokens.verify(bearerOf(authorization))
        await endSession(store, caller.id, claims.session, now())
        return { headers: { 'set-cookie': clearCookie(credentials.secure) } }
      },
    }),
  ]
}
