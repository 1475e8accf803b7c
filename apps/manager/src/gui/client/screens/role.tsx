import { useState } from 'preact/hooks'
import { ApiError, errorOf } from '../api/failure.js'
import { allOf } from '../api/resources.js'
import type { Permission, Role as Stored } from '../api/types.js'
import { may } from '../logic/may.js'
import {
  emptyRole,
  groupWords,
  has,
  placeRoleProblems,
  type RoleDraft,
  roleDraftOf,
  toggled,
} from '../logic/role-draft.js'
import { useApp } from '../state/context.js'
import { useDoing, useLoad } from '../state/load.js'
import { Button, Failure, Heading, Loading } from '../ui/basics.js'
import { CheckField, Form, TextField } from '../ui/fields.js'
import { PolicyLimits } from './policy-limits.js'

export function RoleNew() {
  return (
    <>
      <Heading>New role</Heading>
      <RoleForm before={undefined} onStale={() => {}} />
    </>
  )
}

/** The API has no route for one role: it is found in the list. */
export function Role({ id }: { readonly id: string }) {
  const { api } = useApp()
  const { data, error, loading, reload } = useLoad(
    async (signal) => {
      const { items } = await allOf(api, 'roles', signal)
      const role = items.find((each) => each.id === id)
      if (role === undefined)
        throw new ApiError(
          {
            kind: 'answer',
            status: 404,
            code: 'ROLE_NOT_FOUND',
            message: 'There is no such role any more.',
            fields: [],
            retryAfterS: undefined,
            requestId: '',
          },
          false,
        )
      return role
    },
    [id],
  )
  return (
    <>
      <Heading>Change the role {data?.name ?? ''}</Heading>
      <Failure error={error} retry={reload} />
      {loading && data === undefined ? <Loading what="the role" /> : null}
      {data === undefined ? null : <RoleForm key={data.version} before={data} onStale={reload} />}
    </>
  )
}

function RoleForm({ before, onStale }: { readonly before: Stored | undefined; readonly onStale: () => void }) {
  const { api, session, note, go, refresh } = useApp()
  const [draft, setDraft] = useState<RoleDraft>(before === undefined ? emptyRole : roleDraftOf(before))
  const [problems, setProblems] = useState<Readonly<Record<string, string>>>({})
  const doing = useDoing()
  const reads = may(session, 'permission.read')
  // Who may not see all of them can grant no others than his own.
  const own = [...new Set(session.permissions.map(({ permissionKey }) => permissionKey))]
  const permissions = useLoad(
    async (signal): Promise<readonly Permission[]> =>
      reads ? (await allOf(api, 'permissions', signal)).items : own.map((key) => ({ key, description: '' })),
    [reads],
  )

  const submit = (): void =>
    void doing.run(async () => {
      setProblems({})
      try {
        const body = { name: draft.name, description: draft.description, rolePolicies: draft.policies }
        if (before === undefined) await api.request('POST', '/roles', { body })
        else await api.request('PUT', '/roles', { body: { id: before.id, ...body }, version: before.version })
      } catch (thrown) {
        const error = errorOf(thrown)
        setProblems(placeRoleProblems(error.fields))
        throw error
      }
      note(
        'good',
        `The role ${draft.name} is stored${before === undefined ? '. Give it to somebody under Users.' : ', and in force for everybody who holds it.'}`,
      )
      go({ screen: 'roles' })
      await refresh()
    })

  const groups = new Map<string, Permission[]>()
  for (const permission of permissions.data ?? []) {
    const name = groupWords(permission.key)
    groups.set(name, [...(groups.get(name) ?? []), permission])
  }

  return (
    <Form onSubmit={submit} problems={problems} label="Role">
      <Failure error={doing.error}>
        {doing.error?.is('VERSION_CONFLICT') ? (
          <div class="buttons">
            <Button
              onClick={() => {
                doing.clear()
                onStale()
              }}
            >
              Show what is stored now
            </Button>
          </div>
        ) : null}
      </Failure>
      <fieldset>
        <legend>The role</legend>
        <TextField
          label="Name"
          value={draft.name}
          onValue={(name) => setDraft({ ...draft, name })}
          problem={problems.name}
          maxLength={128}
        />
        <TextField
          label="Description"
          hint="What for, in a sentence. It may be empty."
          value={draft.description}
          onValue={(description) => setDraft({ ...draft, description })}
          problem={problems.description}
          maxLength={1024}
        />
      </fieldset>
      <Failure error={permissions.error} retry={permissions.reload} />
      {permissions.loading && permissions.data === undefined ? <Loading what="what there is to be granted" /> : null}
      {problems.policies === undefined ? null : <p class="problem">{problems.policies}</p>}
      {[...groups].map(([name, list]) => (
        <fieldset key={name}>
          <legend>{name}</legend>
          {list.map(({ key, description }) => (
            <div key={key} class="grant">
              <CheckField
                label={
                  <>
                    {description === '' ? key : description} {description === '' ? null : <code>{key}</code>}
                  </>
                }
                checked={has(draft, key)}
                onChecked={() => setDraft(toggled(draft, key))}
              />
              <PolicyLimits permissionKey={key} draft={draft} onDraft={setDraft} problems={problems} />
            </div>
          ))}
        </fieldset>
      ))}
      <p class="hint">You can grant only what you hold yourself.</p>
      <div class="buttons">
        <Button kind="main" type="submit" busy={doing.busy}>
          {before === undefined ? 'Create the role' : 'Store the changes'}
        </Button>
        <a class="button quiet" href="#/roles">
          Cancel
        </a>
      </div>
    </Form>
  )
}
