import { useEffect, useRef, useState } from 'preact/hooks'
import { ApiError, errorOf } from '../api/failure.js'
import { Mark } from '../shell.js'
import { useApp } from '../state/context.js'
import { useDoing } from '../state/load.js'
import { Button, Failure, Heading } from '../ui/basics.js'
import { Form, TextField } from '../ui/fields.js'

const LEAST = 8

/** Somebody else knows his password: before anything else he chooses one of his own. */
export function FirstPassword() {
  const { api, session, setSession } = useApp()
  const leaving = useDoing()
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    document.title = 'Choose a password · Bulkhead manager'
    heading.current?.focus()
  }, [])
  return (
    <main class="alone">
      <div class="card">
        <h1 tabIndex={-1} ref={heading}>
          <Mark /> Choose a password of your own
        </h1>
        <p>
          You are logged in as <strong>{session.user.username}</strong>. Whoever made or reset this account knows its
          password, so nothing else is possible before you have chosen your own.
        </p>
        <PasswordForm onDone={() => {}} />
        <p class="hint">
          <Button
            busy={leaving.busy}
            onClick={() =>
              void leaving.run(async () => {
                await api.logOut()
                setSession(undefined, 'You are logged out.')
              })
            }
          >
            Log out instead
          </Button>
        </p>
        <Failure error={leaving.error} />
      </div>
    </main>
  )
}

export function Password() {
  const { note, go } = useApp()
  return (
    <>
      <Heading>Change your password</Heading>
      <div class="card narrow">
        <PasswordForm
          onDone={() => {
            note('good', 'Your password is changed. Wherever else you were logged in you are not any more.')
            go({ screen: 'overview' })
          }}
        />
      </div>
    </>
  )
}

function PasswordForm({ onDone }: { readonly onDone: () => void }) {
  const { api, session, setSession } = useApp()
  const [old, setOld] = useState('')
  const [fresh, setFresh] = useState('')
  const [again, setAgain] = useState('')
  const [problems, setProblems] = useState<Readonly<Record<string, string>>>({})
  const doing = useDoing()

  const submit = (): void => {
    const found = {
      ...(old === '' ? { oldPassword: 'What is it now?' } : {}),
      ...([...fresh].length < LEAST ? { newPassword: `must have at least ${LEAST} characters` } : {}),
      ...(fresh === again ? {} : { again: 'These two are not the same.' }),
    }
    setProblems(found)
    if (Object.keys(found).length > 0) return
    void doing.run(async () => {
      try {
        await api.request('PUT', '/users/self/password', { body: { oldPassword: old, newPassword: fresh } })
      } catch (thrown) {
        const error = errorOf(thrown)
        if (error.is('PASSWORD_WRONG')) setProblems({ oldPassword: 'This is not your current password.' })
        else setProblems(Object.fromEntries(error.fields.map(({ field, message }) => [field, message])))
        throw error
      }
      // The change has ended all sessions, this one too.
      try {
        setSession(await api.logIn(session.user.username, fresh))
      } catch (thrown) {
        if (!(thrown instanceof ApiError)) throw thrown
        setSession(undefined, 'Your password is changed. Log in with the new one.')
        return
      }
      onDone()
    })
  }

  return (
    <Form onSubmit={submit} problems={problems} label="Change the password">
      <Failure error={doing.error?.is('PASSWORD_WRONG') ? undefined : doing.error} />
      {/* For password managers: whose password it is. */}
      <input
        class="unseen"
        type="text"
        autocomplete="username"
        value={session.user.username}
        readOnly
        tabIndex={-1}
        aria-hidden="true"
      />
      <TextField
        label="Current password"
        type="password"
        value={old}
        onValue={setOld}
        problem={problems.oldPassword}
        autocomplete="current-password"
        maxLength={256}
      />
      <TextField
        label="New password"
        hint={`At least ${LEAST} characters. A few words that do not belong together are a good one.`}
        type="password"
        value={fresh}
        onValue={setFresh}
        problem={problems.newPassword}
        autocomplete="new-password"
        maxLength={256}
      />
      <TextField
        label="New password, once more"
        type="password"
        value={again}
        onValue={setAgain}
        problem={problems.again}
        autocomplete="new-password"
        maxLength={256}
      />
      <p class="hint">All your sessions and tokens end with the old password; this window stays logged in.</p>
      <div class="buttons">
        <Button kind="main" type="submit" busy={doing.busy}>
          Change the password
        </Button>
      </div>
    </Form>
  )
}
