import { useEffect, useRef, useState } from 'preact/hooks'
import type { Api } from '../api/client.js'
import type { Session } from '../api/types.js'
import { Mark, ThemeChoice } from '../shell.js'
import { useDoing } from '../state/load.js'
import { Button, Failure } from '../ui/basics.js'
import { Form, TextField } from '../ui/fields.js'

export interface LoginProps {
  readonly api: Api
  /** What somebody is told who was logged in a moment ago. */
  readonly why: string | undefined
  readonly onSession: (session: Session) => void
}

export function Login({ api, why, onSession }: LoginProps) {
  const [username, setUsername] = useState('')
  const [password, setPassword] = useState('')
  const [problems, setProblems] = useState<Readonly<Record<string, string>>>({})
  const doing = useDoing()
  const box = useRef<HTMLDivElement>(null)

  useEffect(() => {
    document.title = 'Log in · Bulkhead manager'
    box.current?.querySelector('input')?.focus()
  }, [])

  const submit = (): void => {
    const missing = {
      ...(username === '' ? { username: 'Whom do you log in as?' } : {}),
      ...(password === '' ? { password: 'What is the password?' } : {}),
    }
    setProblems(missing)
    if (Object.keys(missing).length > 0) return
    void doing.run(async () => {
      try {
        onSession(await api.logIn(username, password))
      } catch (thrown) {
        setPassword('')
        throw thrown
      }
    })
  }

  return (
    <main class="alone">
      <div class="card" ref={box}>
        <h1>
          <Mark /> Bulkhead manager
        </h1>
        {why === undefined ? null : (
          <p class="box fair" role="status">
            {why}
          </p>
        )}
        <Failure error={doing.error} />
        <Form onSubmit={submit} problems={problems} label="Log in">
          <TextField
            label="Username"
            value={username}
            onValue={setUsername}
            problem={problems.username}
            autocomplete="username"
            maxLength={128}
          />
          <TextField
            label="Password"
            type="password"
            value={password}
            onValue={setPassword}
            problem={problems.password}
            autocomplete="current-password"
            maxLength={256}
          />
          <div class="buttons">
            <Button kind="main" type="submit" busy={doing.busy}>
              Log in
            </Button>
          </div>
        </Form>
        <p class="hint">
          At the first start the manager makes the account <code>admin@example.com</code>; its password was shown once,
          where it was started.
        </p>
        <ThemeChoice />
      </div>
    </main>
  )
}
