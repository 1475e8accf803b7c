import type { Route } from '../http/route.js'
import type { Identity } from './identity.js'
import { login } from './login.js'

export const authRoutes = (identity: Identity): Route[] => [login(identity)]
