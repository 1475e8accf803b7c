import { useState } from 'preact/hooks'
import { pageOf } from '../api/resources.js'
import type { Strategy } from '../api/types.js'
import { may } from '../logic/may.js'
import { criteriaWords } from '../logic/strategy-draft.js'
import { linkTo } from '../logic/where.js'
import { durationWords, shortId, timeWords } from '../logic/words.js'
import { useApp } from '../state/context.js'
import { useDoing, usePages } from '../state/load.js'
import { Button, Empty, Failure, focusHeading, Heading, Loading } from '../ui/basics.js'
import { Confirm } from '../ui/dialog.js'
import { type Column, Pager, Table } from '../ui/table.js'

const PAGE = 25

export function Strategies() {
  const { api, session, note } = useApp()
  const reads = may(session, 'schedule_strategy.read')
  const creates = may(session, 'schedule_strategy.create')
  const pages = usePages(
    async (cursor, signal) =>
      reads ? pageOf(api, 'strategies', { limit: PAGE, cursor }, signal) : { items: [], next: undefined },
    [reads],
  )
  const [doomed, setDoomed] = useState<Strategy | undefined>()
  const deleting = useDoing()
  const { data, error, loading, reload } = pages

  const close = (): void => {
    setDoomed(undefined)
    deleting.clear()
  }

  return (
    <>
      <Heading actions={creates ? <NewLink /> : undefined}>Strategies</Heading>
      <p class="lead">Yours alone: which pods are scheduled how. Others have their own.</p>
      <Failure error={error} retry={reload} />
      {reads ? null : (
        <Empty title="You may make strategies, but not list them.">
          <p>
            It takes the permission <code>schedule_strategy.read</code>.
          </p>
        </Empty>
      )}
      {loading && data === undefined ? <Loading what="strategies" /> : null}
      {reads && data?.items.length === 0 && pages.number === 1 ? (
        <Empty title="There is no strategy of yours yet.">
          <p>
            {creates
              ? 'A strategy names pods by namespace, label and command, and says how strong they are and how long their slices of the processor.'
              : 'Your roles let you look, and not make any.'}
          </p>
          {creates ? <NewLink /> : null}
        </Empty>
      ) : null}
      {data !== undefined && data.items.length > 0 ? (
        <Table
          caption="Strategies"
          rows={data.items}
          keyOf={({ id }) => id}
          busy={loading}
          columns={columns(session, setDoomed)}
        />
      ) : null}
      <Pager pages={pages} what="strategies" />
      {doomed === undefined ? null : (
        <Confirm
          title="Delete this strategy?"
          action="Delete"
          busy={deleting.busy}
          error={deleting.error}
          onClose={close}
          onConfirm={() =>
            void deleting.run(async () => {
              await api.request('DELETE', `/strategies/${doomed.id}`, { version: doomed.version })
              close()
              note('good', `The strategy …${shortId(doomed.id)} is deleted, and its intents with it.`)
              reload()
              focusHeading()
            })
          }
        >
          <p>
            For {criteriaWords(doomed).join(', ')}. Its intents go with it, and the schedulers are told. It cannot be
            brought back.
          </p>
          {deleting.error?.is('VERSION_CONFLICT') ? (
            <p>
              <Button
                onClick={() => {
                  close()
                  reload()
                }}
              >
                Show what there is now
              </Button>
            </p>
          ) : null}
        </Confirm>
      )}
    </>
  )
}

const NewLink = () => (
  <a class="button main" href={linkTo({ screen: 'strategy-new' })}>
    New strategy
  </a>
)

function columns(
  session: Parameters<typeof may>[0],
  remove: (strategy: Strategy) => void,
): readonly Column<Strategy>[] {
  const changes = may(session, 'schedule_strategy.update')
  const deletes = may(session, 'schedule_strategy.delete')
  return [
    {
      head: 'For',
      kind: 'first',
      cell: (strategy) => (
        <>
          <span class="criteria">
            {criteriaWords(strategy).map((words) => (
              <span key={words}>{words}</span>
            ))}
          </span>
          <span class="small">…{shortId(strategy.id)}</span>
        </>
      ),
    },
    { head: 'Belongs to', cell: ({ strategyNamespace }) => (strategyNamespace === '' ? '–' : strategyNamespace) },
    { head: 'Priority', kind: 'number', cell: ({ priority }) => priority },
    { head: 'Slice', kind: 'number', cell: ({ executionTime }) => durationWords(executionTime) },
    { head: 'Changed', cell: ({ updatedTime }) => <time dateTime={updatedTime}>{timeWords(updatedTime)}</time> },
    ...(changes || deletes
      ? [
          {
            head: 'What you can do',
            kind: 'actions' as const,
            cell: (strategy: Strategy) => (
              <div class="buttons">
                {changes ? (
                  <a
                    class="button quiet"
                    href={linkTo({ screen: 'strategy', id: strategy.id })}
                    aria-label={`Change the strategy ${shortId(strategy.id)}`}
                  >
                    Change
                  </a>
                ) : null}
                {deletes ? (
                  <Button onClick={() => remove(strategy)} label={`Delete the strategy ${shortId(strategy.id)}`}>
                    Delete
                  </Button>
                ) : null}
              </div>
            ),
          },
        ]
      : []),
  ]
}
