import { useState } from 'preact/hooks'
import { allOf, pageOf } from '../api/resources.js'
import type { AuditEntry } from '../api/types.js'
import { may } from '../logic/may.js'
import { fieldTime } from '../logic/times.js'
import { plural, targetWords, timeWords } from '../logic/words.js'
import { useApp } from '../state/context.js'
import { useLoad, usePages } from '../state/load.js'
import { Button, Empty, Failure, Heading, Loading, Pill } from '../ui/basics.js'
import { Form, SelectField, TextField } from '../ui/fields.js'
import { Pager, Table } from '../ui/table.js'

const PAGE = 50

const outcomes = { ok: ['good', 'Done'], refused: ['fair', 'Refused'], failed: ['bad', 'Failed'] } as const

/** What is noted, by the names that the audit log has for it. */
const actions = [
  'auth.login',
  'auth.logout',
  'user.create',
  'user.password.change',
  'user.password.reset',
  'user.permission.update',
  'role.create',
  'role.update',
  'role.delete',
  'strategy.create',
  'strategy.update',
  'strategy.delete',
  'intent.delete',
] as const

interface Filters {
  readonly userId: string
  readonly action: string
  readonly outcome: string
  readonly from: string
  readonly to: string
}

const none: Filters = { userId: '', action: '', outcome: '', from: '', to: '' }

export function Audit() {
  const { api, session } = useApp()
  const [typed, setTyped] = useState(none)
  const [filters, setFilters] = useState(none)
  const pages = usePages(
    (cursor, signal) =>
      pageOf(
        api,
        'entries',
        {
          limit: PAGE,
          cursor,
          userId: filters.userId,
          action: filters.action,
          outcome: filters.outcome,
          timestampGTE: fieldTime(filters.from),
          timestampLTE: fieldTime(filters.to),
        },
        signal,
      ),
    [filters],
  )
  const readsUsers = may(session, 'user.read')
  const users = useLoad(
    async (signal) => (readsUsers ? (await allOf(api, 'users', signal)).items : [session.user]),
    [readsUsers],
  )
  const { data, error, loading, reload } = pages
  const filtered = filters !== none
  return (
    <>
      <Heading
        actions={
          <Button busy={loading} onClick={reload}>
            Read again
          </Button>
        }
      >
        Audit log
      </Heading>
      <p class="lead">
        Who did what, the latest first; also what was refused. Logins are here with the account that they were tried at.
        Times are those of your own time zone.
      </p>
      <Form onSubmit={() => setFilters({ ...typed })} label="Filters">
        <div class="filters">
          <SelectField
            label="User"
            value={typed.userId}
            onValue={(userId) => setTyped({ ...typed, userId })}
            options={[['', 'anybody'], ...(users.data ?? []).map(({ id, username }) => [id, username] as const)]}
          />
          <SelectField
            label="Action"
            value={typed.action}
            onValue={(action) => setTyped({ ...typed, action })}
            options={[['', 'any'], ...actions.map((action) => [action, action] as const)]}
          />
          <SelectField
            label="Outcome"
            value={typed.outcome}
            onValue={(outcome) => setTyped({ ...typed, outcome })}
            options={[['', 'any'], ...Object.entries(outcomes).map(([key, [, words]]) => [key, words] as const)]}
          />
          <TextField
            label="From"
            type="datetime-local"
            value={typed.from}
            onValue={(from) => setTyped({ ...typed, from })}
          />
          <TextField label="To" type="datetime-local" value={typed.to} onValue={(to) => setTyped({ ...typed, to })} />
        </div>
        <div class="buttons">
          <Button kind="main" type="submit" busy={loading}>
            Filter
          </Button>
          <Button
            disabled={!filtered && JSON.stringify(typed) === JSON.stringify(none)}
            onClick={() => {
              setTyped(none)
              setFilters(none)
            }}
          >
            Show all
          </Button>
        </div>
      </Form>
      <Failure error={error} retry={reload} />
      {loading && data === undefined ? <Loading what="the audit log" /> : null}
      {data?.items.length === 0 ? (
        <Empty title={filtered ? 'Nothing is like that.' : 'Nothing is noted yet.'}>
          {filtered ? <p>Ask for less: another time, or any action.</p> : null}
        </Empty>
      ) : null}
      {data !== undefined && data.items.length > 0 ? (
        <Table
          caption="Audit log"
          rows={data.items}
          keyOf={({ id }) => id}
          busy={loading}
          columns={[
            {
              head: 'Time',
              kind: 'first',
              cell: ({ timestamp }) => (
                <time class="tight" dateTime={timestamp}>
                  {timeWords(timestamp)}
                </time>
              ),
            },
            { head: 'Who', cell: ({ username, userId }) => username ?? userId ?? 'nobody known' },
            { head: 'Did', kind: 'tight', cell: ({ action }) => <code>{action}</code> },
            {
              head: 'What',
              cell: ({ target }) => (target === undefined ? '–' : <code title={target}>{targetWords(target)}</code>),
            },
            { head: 'Outcome', cell: (entry) => <Outcome entry={entry} /> },
            { head: 'Address', kind: 'tight', cell: ({ ip }) => ip },
          ]}
        />
      ) : null}
      <Pager pages={pages} what="the audit log" />
    </>
  )
}

function Outcome({ entry: { outcome, code, unnoted } }: { readonly entry: AuditEntry }) {
  const [kind, words] = outcomes[outcome]
  return (
    <>
      <Pill kind={kind}>{words}</Pill>
      {code === undefined ? null : <span class="small"> {code}</span>}
      {unnoted === undefined ? null : <span class="small"> and {plural(unnoted, 'like it', 'like it')} before</span>}
    </>
  )
}
