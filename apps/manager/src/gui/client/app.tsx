import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { Api } from './api/client.js'
import { type ApiError, errorOf } from './api/failure.js'
import type { Session } from './api/types.js'
import { mustChangePassword } from './logic/may.js'
import { linkTo, type Where, whereOf } from './logic/where.js'
import { Login } from './screens/login.js'
import { FirstPassword } from './screens/password.js'
import { Screen } from './screens/screen.js'
import { type Note, Shell } from './shell.js'
import { AppContext, type AppState, type NoteKind } from './state/context.js'
import { Button, Failure, Loading } from './ui/basics.js'

type Known =
  | { readonly is: 'asking' }
  | { readonly is: 'unknown'; readonly error: ApiError }
  /** `why`: what he is told who was logged in a moment ago. */
  | { readonly is: 'nobody'; readonly why?: string }
  | { readonly is: 'somebody'; readonly session: Session }

const EXPIRED = 'Your session has ended. Log in again: you come back to where you were.'
/** Of what is said, the latest. */
const MOST_NOTES = 3

/** The whole page: who is logged in, where he is, and what was said to him. */
export function App() {
  const [known, setKnown] = useState<Known>({ is: 'asking' })
  const [where, setWhere] = useState<Where>(() => whereOf(location.hash))
  const [notes, setNotes] = useState<readonly Note[]>([])
  const count = useRef(0)

  const note = useCallback((kind: NoteKind, text: string) => {
    count.current += 1
    const made: Note = { id: count.current, kind, text, age: 0 }
    setNotes((before) => [...before, made].slice(-MOST_NOTES))
  }, [])

  const api = useMemo(
    () =>
      new Api({
        fetch: (input, init) => fetch(input, init),
        onExpired: () => setKnown((before) => (before.is === 'somebody' ? { is: 'nobody', why: EXPIRED } : before)),
        onOtherUser: (session) => {
          setKnown({ is: 'somebody', session })
          note(
            'fair',
            `In another window of this browser ${session.user.username} has logged in. That is who you are here, too, now.`,
          )
        },
      }),
    [note],
  )

  const refresh = useCallback(async () => {
    try {
      const session = await api.session()
      setKnown(session === undefined ? { is: 'nobody' } : { is: 'somebody', session })
    } catch (thrown) {
      setKnown({ is: 'unknown', error: errorOf(thrown) })
    }
  }, [api])

  useEffect(() => void refresh(), [refresh])

  useEffect(() => {
    const moved = (): void => {
      setWhere(whereOf(location.hash))
      setNotes((before) => before.filter(({ age }) => age === 0).map((each) => ({ ...each, age: each.age + 1 })))
    }
    addEventListener('hashchange', moved)
    return () => removeEventListener('hashchange', moved)
  }, [])

  const go = useCallback((to: Where) => {
    location.hash = linkTo(to)
  }, [])

  const setSession = useCallback((session: Session | undefined, why?: string) => {
    setKnown(
      session === undefined ? { is: 'nobody', ...(why === undefined ? {} : { why }) } : { is: 'somebody', session },
    )
  }, [])

  if (known.is === 'asking')
    return (
      <main class="alone">
        <Loading what="who you are" />
      </main>
    )
  if (known.is === 'unknown')
    return (
      <main class="alone">
        <h1>Bulkhead manager</h1>
        <Failure error={known.error}>
          <p>
            <Button onClick={() => void refresh()}>Try again</Button>
          </p>
        </Failure>
      </main>
    )
  if (known.is === 'nobody') return <Login api={api} why={known.why} onSession={setSession} />

  const { session } = known
  const state: AppState = { api, session, note, go, refresh, setSession }
  if (mustChangePassword(session))
    return (
      <AppContext.Provider value={state}>
        <FirstPassword />
      </AppContext.Provider>
    )
  return (
    <AppContext.Provider value={state}>
      <Shell
        where={where}
        notes={notes}
        onDismiss={(id) => setNotes((before) => before.filter((each) => each.id !== id))}
      >
        <Screen where={where} key={`${linkTo(where)} ${session.user.id}`} />
      </Shell>
    </AppContext.Provider>
  )
}
