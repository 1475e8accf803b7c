import { useState } from 'preact/hooks'
import { allOf, pageOf } from '../api/resources.js'
import type { Role } from '../api/types.js'
import { limitWords, may } from '../logic/may.js'
import { linkTo } from '../logic/where.js'
import { plural } from '../logic/words.js'
import { useApp } from '../state/context.js'
import { useDoing, useLoad, usePages } from '../state/load.js'
import { Button, Empty, Failure, focusHeading, Heading, Loading, Pill } from '../ui/basics.js'
import { Confirm } from '../ui/dialog.js'
import { Pager, Table } from '../ui/table.js'

const PAGE = 25

export function Roles() {
  const { api, session, note } = useApp()
  const reads = may(session, 'role.read')
  const pages = usePages(
    async (cursor, signal) =>
      reads ? pageOf(api, 'roles', { limit: PAGE, cursor }, signal) : { items: [], next: undefined },
    [reads],
  )
  const [doomed, setDoomed] = useState<Role | undefined>()
  const deleting = useDoing()
  const { data, error, loading, reload } = pages
  const close = (): void => {
    setDoomed(undefined)
    deleting.clear()
  }
  return (
    <>
      <Heading
        actions={
          may(session, 'role.create') ? (
            <a class="button main" href={linkTo({ screen: 'role-new' })}>
              New role
            </a>
          ) : undefined
        }
      >
        Roles
      </Heading>
      <p class="lead">What may be done, by name. A change is in force at once for everybody who holds the role.</p>
      <Failure error={error} retry={reload} />
      {loading && data === undefined ? <Loading what="roles" /> : null}
      {reads ? null : (
        <Empty title="You may make roles, but not list them.">
          <p>
            It takes the permission <code>role.read</code>.
          </p>
        </Empty>
      )}
      {data?.items.length === 1 && pages.number === 1 && may(session, 'role.create') ? (
        <p class="box fair">
          There is only the built-in role, which permits everything. Make one that permits what somebody needs and no
          more: to make strategies for the pods of one namespace, for instance.
        </p>
      ) : null}
      {data !== undefined && data.items.length > 0 ? (
        <Table
          caption="Roles"
          rows={data.items}
          keyOf={({ id }) => id}
          busy={loading}
          columns={[
            {
              head: 'Name',
              kind: 'first',
              cell: (role) => (
                <>
                  {role.name} {role.builtIn ? <Pill kind="plain">Built in</Pill> : null}
                  {role.description === '' ? null : <span class="hint">{role.description}</span>}
                </>
              ),
            },
            { head: 'Permits', cell: (role) => <Policies role={role} /> },
            {
              head: 'What you can do',
              kind: 'actions',
              cell: (role) => (
                <div class="buttons">
                  {may(session, 'role.update') && !role.builtIn ? (
                    <a
                      class="button quiet"
                      href={linkTo({ screen: 'role', id: role.id })}
                      aria-label={`Change the role ${role.name}`}
                    >
                      Change
                    </a>
                  ) : null}
                  {may(session, 'role.delete') && !role.builtIn ? (
                    <Button onClick={() => setDoomed(role)} label={`Delete the role ${role.name}`}>
                      Delete
                    </Button>
                  ) : null}
                </div>
              ),
            },
          ]}
        />
      ) : null}
      <Pager pages={pages} what="roles" />
      {may(session, 'permission.read') ? <Permissions /> : null}
      {doomed === undefined ? null : (
        <Confirm
          title={`Delete the role ${doomed.name}?`}
          action="Delete"
          busy={deleting.busy}
          error={deleting.error}
          onClose={close}
          onConfirm={() =>
            void deleting.run(async () => {
              await api.request('DELETE', `/roles/${doomed.id}`, { version: doomed.version })
              close()
              note('good', `The role ${doomed.name} is deleted.`)
              reload()
              focusHeading()
            })
          }
        >
          <p>Only a role that nobody holds can be deleted. It cannot be brought back.</p>
        </Confirm>
      )}
    </>
  )
}

function Policies({ role: { rolePolicy } }: { readonly role: Role }) {
  if (rolePolicy.length === 0) return <>nothing</>
  return (
    <details>
      <summary>{plural(rolePolicy.length, 'permission')}</summary>
      <ul class="list">
        {rolePolicy.map((policy) => {
          const limits = limitWords(policy)
          return (
            <li key={JSON.stringify(policy)}>
              <code>{policy.permissionKey}</code>
              {limits === '' ? null : <span class="small">: {limits}</span>}
            </li>
          )
        })}
      </ul>
    </details>
  )
}

/** What there is to be granted. */
function Permissions() {
  const { api } = useApp()
  const { data, error, reload } = useLoad((signal) => allOf(api, 'permissions', signal), [])
  return (
    <section aria-labelledby="permissions">
      <h2 id="permissions">What there is to be granted</h2>
      <Failure error={error} retry={reload} />
      {data === undefined ? null : (
        <details>
          <summary>{plural(data.items.length, 'permission')}</summary>
          <dl class="facts">
            {data.items.map(({ key, description }) => [
              <dt key={`${key} name`}>
                <code>{key}</code>
              </dt>,
              <dd key={key}>{description}</dd>,
            ])}
          </dl>
        </details>
      )}
    </section>
  )
}
