import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { Api } from '../api/client.js'
import type { Session } from '../api/types.js'
import type { Where } from '../logic/where.js'

export type NoteKind = 'good' | 'fair' | 'bad'

export interface AppState {
  readonly api: Api
  readonly session: Session
  /** Says something that stays until it is dismissed, or until two screens later. */
  readonly note: (kind: NoteKind, text: string) => void
  readonly go: (where: Where) => void
  /** Asks again who is logged in, and what he may do. */
  readonly refresh: () => Promise<void>
  /** The session is another one now: after a login, or none after a logout. */
  readonly setSession: (session: Session | undefined, why?: string) => void
}

export const AppContext = createContext<AppState | undefined>(undefined)

export function useApp(): AppState {
  const state = useContext(AppContext)
  if (state === undefined) throw new Error('this is drawn outside of the page')
  return state
}
