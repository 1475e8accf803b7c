import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { may, mayOpen } from './logic/may.js'
import { linkTo, type Where } from './logic/where.js'
import { type NoteKind, useApp } from './state/context.js'
import { useDoing } from './state/load.js'
import { applyTheme, storedTheme, type Theme } from './state/theme.js'
import { Button, Failure } from './ui/basics.js'

export interface Note {
  readonly id: number
  readonly kind: NoteKind
  readonly text: string
  /** How many screens ago it was said. */
  readonly age: number
}

const places = [
  ['overview', 'Overview'],
  ['strategies', 'Strategies'],
  ['intents', 'Intents'],
  ['nodes', 'Nodes'],
  ['users', 'Users'],
  ['roles', 'Roles'],
  ['audit', 'Audit log'],
] as const

/** Which of the places a screen belongs to. */
const placeOf = ({ screen }: Where): string =>
  ({ strategy: 'strategies', 'strategy-new': 'strategies', role: 'roles', 'role-new': 'roles', node: 'nodes' })[
    screen as string
  ] ?? screen

export interface ShellProps {
  readonly where: Where
  readonly notes: readonly Note[]
  readonly onDismiss: (id: number) => void
  readonly children: ComponentChildren
}

/** What is around every screen: where one can go, who one is, and what was said. */
export function Shell({ where, notes, onDismiss, children }: ShellProps) {
  const { session } = useApp()
  const offered = places.filter(([screen]) => mayOpen(session, screen))
  const here = placeOf(where)
  return (
    <>
      <button type="button" class="skip" onClick={() => document.querySelector<HTMLElement>('main h1')?.focus()}>
        Skip to the content
      </button>
      <header class="top">
        <p class="brand">
          <a href={linkTo({ screen: 'overview' })}>
            <Mark /> Bulkhead manager
          </a>
        </p>
        <Account />
        <nav aria-label="Screens">
          <ul>
            {offered.map(([screen, words]) => (
              <li key={screen}>
                <a href={linkTo({ screen })} aria-current={here === screen ? 'page' : undefined}>
                  {words}
                </a>
              </li>
            ))}
          </ul>
        </nav>
      </header>
      <main>
        <div class="notes" role="status" aria-label="Messages">
          {notes.map(({ id, kind, text }) => (
            <div key={id} class={`box ${kind}`}>
              <p>{text}</p>
              <Button onClick={() => onDismiss(id)} label={`Dismiss: ${text}`}>
                Dismiss
              </Button>
            </div>
          ))}
        </div>
        {children}
      </main>
      <footer>
        <p>
          <a href="/swagger/index.html">The API, described</a>
          {may(session, 'audit.read') ? '' : ' · What you change is noted in the audit log'}
        </p>
      </footer>
    </>
  )
}

export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" width="20" height="20" aria-hidden="true">
      <rect width="32" height="32" rx="7" class="mark-ground" />
      <path d="M8 8h4v16H8zM14 8h4v16h-4zM20 8h4v16h-4z" class="mark-posts" />
      <path d="M6 14h20v4H6z" class="mark-beam" />
    </svg>
  )
}

function Account() {
  const { api, session, setSession } = useApp()
  const leaving = useDoing()
  return (
    <div class="account">
      <ThemeChoice />
      <a href={linkTo({ screen: 'password' })} class="who">
        <span class="unseen">Logged in as </span>
        {session.user.username}
        <span class="unseen">: change the password</span>
      </a>
      <Button
        busy={leaving.busy}
        onClick={() =>
          void leaving.run(async () => {
            await api.logOut()
            setSession(undefined, 'You are logged out.')
          })
        }
      >
        Log out
      </Button>
      <Failure error={leaving.error} />
    </div>
  )
}

export function ThemeChoice() {
  const [theme, setTheme] = useState<Theme>(storedTheme)
  return (
    <label class="theme">
      <span class="unseen">Colours</span>
      <select
        value={theme}
        onChange={(event) => {
          const chosen = event.currentTarget.value as Theme
          applyTheme(chosen)
          setTheme(chosen)
        }}
      >
        <option value="system">System</option>
        <option value="light">Light</option>
        <option value="dark">Dark</option>
      </select>
    </label>
  )
}
