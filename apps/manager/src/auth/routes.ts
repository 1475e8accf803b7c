import type { Route } from '../http/route.js'
import type { Identity } from './identity.js'
import { login } from './login.js'
import { sessionRoutes } from './sessions/routes.js'

export const authRoutes = (identity: Identity): Route[] => [login(identity), ...sessionRoutes(identity)]
