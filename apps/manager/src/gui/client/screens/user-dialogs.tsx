import { useState } from 'preact/hooks'
import { errorOf } from '../api/failure.js'
import { allOf } from '../api/resources.js'
import type { User } from '../api/types.js'
import { may } from '../logic/may.js'
import { madeUpPassword } from '../logic/times.js'
import { userStatusWords } from '../logic/words.js'
import { useApp } from '../state/context.js'
import { useDoing, useLoad } from '../state/load.js'
import { Button, Failure, Loading } from '../ui/basics.js'
import { Dialog } from '../ui/dialog.js'
import { CheckField, Form, SelectField, TextField } from '../ui/fields.js'

interface DialogProps {
  readonly onClose: () => void
  readonly onDone: (text: string, user?: User) => void
}

const problemsOf = (thrown: unknown): Readonly<Record<string, string>> =>
  Object.fromEntries(errorOf(thrown).fields.map(({ field, message }) => [field, message]))

export function CreateUser({ onClose, onDone }: DialogProps) {
  const { api } = useApp()
  const [username, setUsername] = useState('')
  const [password, setPassword] = useState('')
  const [problems, setProblems] = useState<Readonly<Record<string, string>>>({})
  const doing = useDoing()
  return (
    <Dialog title="New user" onClose={onClose}>
      <Form
        label="New user"
        problems={problems}
        onSubmit={() =>
          void doing.run(async () => {
            setProblems({})
            try {
              await api.request('POST', '/users', { body: { username, password } })
            } catch (thrown) {
              setProblems(problemsOf(thrown))
              throw thrown
            }
            onDone(
              `${username} can log in now, chooses another password first, and has no role yet: give one with “Roles and status”.`,
            )
          })
        }
      >
        <Failure error={doing.error} />
        <TextField
          label="Username"
          hint="An address, for one: admin@example.com"
          value={username}
          onValue={setUsername}
          problem={problems.username}
          autocomplete="off"
          maxLength={128}
        />
        <HandedPasswordField login="first" value={password} onValue={setPassword} problem={problems.password} />
        <Buttons action="Create the user" busy={doing.busy} onClose={onClose} />
      </Form>
    </Dialog>
  )
}

export function ResetPassword({ user, onClose, onDone }: DialogProps & { readonly user: User }) {
  const { api } = useApp()
  const [password, setPassword] = useState('')
  const [problems, setProblems] = useState<Readonly<Record<string, string>>>({})
  const doing = useDoing()
  return (
    <Dialog title={`Reset the password of ${user.username}`} onClose={onClose}>
      <Form
        label="Reset the password"
        problems={problems}
        onSubmit={() =>
          void doing.run(async () => {
            setProblems({})
            try {
              await api.request('PUT', '/users/password', { body: { userID: user.id, newPassword: password } })
            } catch (thrown) {
              setProblems(problemsOf(thrown))
              throw thrown
            }
            onDone(
              `${user.username} has another password, and has to change it at the next login. All sessions are ended.`,
            )
          })
        }
      >
        <Failure error={doing.error} />
        <p>All sessions and tokens of {user.username} end at once.</p>
        <HandedPasswordField login="next" value={password} onValue={setPassword} problem={problems.newPassword} />
        <Buttons action="Set this password" busy={doing.busy} onClose={onClose} />
      </Form>
    </Dialog>
  )
}

/** Seen while it is typed: it is told to somebody else, and good for one login. */
function HandedPasswordField({
  login,
  value,
  onValue,
  problem,
}: {
  readonly login: 'first' | 'next'
  readonly value: string
  readonly onValue: (value: string) => void
  readonly problem: string | undefined
}) {
  return (
    <>
      <TextField
        label={`Password for the ${login} login`}
        hint={`At least 8 characters. Hand it over yourself: it has to be changed at the ${login} login.`}
        value={value}
        onValue={onValue}
        problem={problem}
        autocomplete="off"
        maxLength={256}
        mono
      />
      <p>
        <Button onClick={() => onValue(madeUpPassword((bytes) => crypto.getRandomValues(bytes)))}>Make one up</Button>
      </p>
    </>
  )
}

export interface EditUserProps extends DialogProps {
  readonly user: User
  /** Somebody else has changed the user: the list has to be read again. */
  readonly onStale: () => void
}

export function EditUser({ user, onClose, onDone, onStale }: EditUserProps) {
  const { api, session } = useApp()
  const reads = may(session, 'role.read')
  const roles = useLoad(
    async (signal) => (reads ? allOf(api, 'roles', signal) : { items: [], next: undefined }),
    [reads],
  )
  const [held, setHeld] = useState<ReadonlySet<string>>(new Set(user.roles))
  const [status, setStatus] = useState(String(user.status))
  const doing = useDoing()
  const names = [...new Set([...(roles.data?.items.map(({ name }) => name) ?? []), ...user.roles])]
  const toggle = (name: string, on: boolean): void => {
    const next = new Set(held)
    if (on) next.add(name)
    else next.delete(name)
    setHeld(next)
  }
  return (
    <Dialog title={`Roles and status of ${user.username}`} onClose={onClose}>
      <Form
        label="Roles and status"
        onSubmit={() =>
          void doing.run(async () => {
            await api.request('PUT', '/users/permissions', {
              body: { userID: user.id, roles: [...held], status: Number(status) },
              version: user.version,
            })
            onDone(`Roles and status of ${user.username} are stored, and in force.`, user)
          })
        }
      >
        <Failure error={doing.error}>
          {doing.error?.is('VERSION_CONFLICT') ? (
            <p>
              <Button onClick={onStale}>Show what there is now</Button>
            </p>
          ) : null}
        </Failure>
        <fieldset>
          <legend>Roles</legend>
          <Failure error={roles.error} retry={roles.reload} />
          {roles.loading && roles.data === undefined ? <Loading what="roles" /> : null}
          {names.length === 0 && !roles.loading ? <p class="hint">There is no role that you could give.</p> : null}
          {names.map((name) => (
            <CheckField key={name} label={name} checked={held.has(name)} onChecked={(on) => toggle(name, on)} />
          ))}
          {reads ? null : <p class="hint">You may not see other roles.</p>}
        </fieldset>
        <SelectField
          label="Status"
          hint="Making somebody inactive ends all sessions at once."
          value={status}
          onValue={setStatus}
          options={[1, 2, 3].map((each) => [String(each), userStatusWords(each)] as const)}
        />
        <Buttons action="Store" busy={doing.busy} onClose={onClose} />
      </Form>
    </Dialog>
  )
}

function Buttons({
  action,
  busy,
  onClose,
}: {
  readonly action: string
  readonly busy: boolean
  readonly onClose: () => void
}) {
  return (
    <div class="buttons">
      <Button onClick={onClose}>Cancel</Button>
      <Button kind="main" type="submit" busy={busy}>
        {action}
      </Button>
    </div>
  )
}
