import { useState } from 'preact/hooks'
import { pageOf } from '../api/resources.js'
import type { User } from '../api/types.js'
import { may } from '../logic/may.js'
import { linkTo } from '../logic/where.js'
import { userStatusWords } from '../logic/words.js'
import { useApp } from '../state/context.js'
import { usePages } from '../state/load.js'
import { Button, Empty, Failure, Heading, Loading, Pill } from '../ui/basics.js'
import { type Column, Pager, Table } from '../ui/table.js'
import { CreateUser, EditUser, ResetPassword } from './user-dialogs.js'

const PAGE = 25

type Open = { readonly what: 'create' } | { readonly what: 'edit' | 'reset'; readonly user: User }

export function Users() {
  const { api, session, note, refresh } = useApp()
  const reads = may(session, 'user.read')
  const creates = may(session, 'user.create')
  const pages = usePages(
    async (cursor, signal) =>
      reads ? pageOf(api, 'users', { limit: PAGE, cursor }, signal) : { items: [], next: undefined },
    [reads],
  )
  const [open, setOpen] = useState<Open | undefined>()
  const { data, error, loading, reload } = pages

  const done = (text: string, user?: User): void => {
    setOpen(undefined)
    note('good', text)
    reload()
    // What one may do oneself may have changed with it.
    if (user?.id === session.user.id) void refresh()
  }
  const close = (): void => setOpen(undefined)

  return (
    <>
      <Heading
        actions={
          creates ? (
            <Button kind="main" onClick={() => setOpen({ what: 'create' })}>
              New user
            </Button>
          ) : undefined
        }
      >
        Users
      </Heading>
      <p class="lead">
        Who may log in, and as what. An account is not deleted, since the audit log speaks of it: it is made inactive.
      </p>
      <Failure error={error} retry={reload} />
      {loading && data === undefined ? <Loading what="users" /> : null}
      {reads ? null : (
        <Empty title="You may make users, but not list them.">
          <p>
            It takes the permission <code>user.read</code>.
          </p>
        </Empty>
      )}
      {data?.items.length === 1 && pages.number === 1 && creates ? (
        <p class="box fair">
          You are the only one. Make an account for everybody who works with this, give each a{' '}
          <a href={linkTo({ screen: 'roles' })}>role</a>, and keep this one for emergencies.
        </p>
      ) : null}
      {data !== undefined && data.items.length > 0 ? (
        <Table
          caption="Users"
          rows={data.items}
          keyOf={({ id }) => id}
          busy={loading}
          columns={columns(session, setOpen)}
        />
      ) : null}
      <Pager pages={pages} what="users" />
      {open?.what === 'create' ? <CreateUser onClose={close} onDone={done} /> : null}
      {open?.what === 'edit' ? (
        <EditUser
          user={open.user}
          onClose={close}
          onDone={done}
          onStale={() => {
            close()
            reload()
          }}
        />
      ) : null}
      {open?.what === 'reset' ? <ResetPassword user={open.user} onClose={close} onDone={done} /> : null}
    </>
  )
}

const kinds: Readonly<Record<number, 'good' | 'fair' | 'plain'>> = { 1: 'good', 2: 'plain', 3: 'fair' }

function columns(
  session: Parameters<typeof may>[0] & { readonly user: User },
  open: (what: Open) => void,
): readonly Column<User>[] {
  const edits = may(session, 'user.permission.update')
  const resets = may(session, 'user.password.reset')
  return [
    {
      head: 'Username',
      kind: 'first',
      cell: ({ id, username }) => (
        <>
          {username}
          {id === session.user.id ? <span class="small"> (you)</span> : null}
        </>
      ),
    },
    { head: 'Roles', cell: ({ roles }) => (roles.length === 0 ? 'none' : roles.join(', ')) },
    { head: 'Status', cell: ({ status }) => <Pill kind={kinds[status] ?? 'plain'}>{userStatusWords(status)}</Pill> },
    ...(edits || resets
      ? [
          {
            head: 'What you can do',
            kind: 'actions' as const,
            cell: (user: User) => (
              <div class="buttons">
                {edits ? (
                  <Button onClick={() => open({ what: 'edit', user })} label={`Roles and status of ${user.username}`}>
                    Roles and status
                  </Button>
                ) : null}
                {resets && user.id !== session.user.id ? (
                  <Button onClick={() => open({ what: 'reset', user })} label={`Reset password of ${user.username}`}>
                    Reset password
                  </Button>
                ) : null}
              </div>
            ),
          },
        ]
      : []),
  ]
}
