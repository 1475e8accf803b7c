import { useRef, useState } from 'preact/hooks'
import { errorOf } from '../api/failure.js'
import type { Receipt, Strategy as Stored } from '../api/types.js'
import {
  draftOf,
  emptyDraft,
  type Problems,
  placeProblems,
  readDraft,
  type StrategyDraft,
} from '../logic/strategy-draft.js'
import { newKey } from '../logic/times.js'
import { receiptWords, shortId } from '../logic/words.js'
import { useApp } from '../state/context.js'
import { useDoing, useLoad } from '../state/load.js'
import { Button, Failure, Heading, Loading } from '../ui/basics.js'
import { Form } from '../ui/fields.js'
import { StrategyFields } from './strategy-fields.js'

export function StrategyNew() {
  return (
    <>
      <Heading>New strategy</Heading>
      <StrategyForm before={undefined} />
    </>
  )
}

export function Strategy({ id }: { readonly id: string }) {
  const { api } = useApp()
  const { data, error, loading, reload } = useLoad(
    (signal) => api.request<Stored>('GET', `/strategies/${id}`, { signal }),
    [id],
  )
  return (
    <>
      <Heading>Change the strategy …{shortId(id)}</Heading>
      <Failure error={error} retry={reload} />
      {loading && data === undefined ? <Loading what="the strategy" /> : null}
      {data === undefined ? null : <StrategyForm before={data} />}
    </>
  )
}

/** Stores a strategy, a new one or what has become of one. */
function StrategyForm({ before }: { readonly before: Stored | undefined }) {
  const { api, note, go } = useApp()
  const [draft, setDraft] = useState<StrategyDraft>(before === undefined ? emptyDraft : draftOf(before))
  /** Of what was read: the service refuses the change of another one. */
  const [version, setVersion] = useState(before?.version)
  const [problems, setProblems] = useState<Problems>({})
  const doing = useDoing()
  const taking = useDoing()
  /** The same for each try, so that one whose answer was lost is not stored twice. Another one once something else is sent. */
  const key = useRef<{ readonly key: string; readonly of: string } | undefined>(undefined)

  const keyOf = (body: unknown): string => {
    const of = JSON.stringify(body)
    if (key.current?.of !== of) key.current = { key: newKey((bytes) => crypto.getRandomValues(bytes)), of }
    return key.current.key
  }

  const submit = (): void => {
    const read = readDraft(draft)
    if ('problems' in read) {
      setProblems(read.problems)
      return
    }
    setProblems({})
    void doing.run(async () => {
      try {
        const receipt =
          before === undefined
            ? await api.request<Receipt>('POST', '/strategies', { body: read.body, idempotencyKey: keyOf(read.body) })
            : await api.request<Receipt>('PUT', '/strategies', {
                body: { strategyId: before.id, ...read.body },
                ...(version === undefined ? {} : { version }),
              })
        note(receipt.pending === 0 ? 'good' : 'fair', `The strategy is stored. ${receiptWords(receipt)}`)
        go({ screen: 'strategies' })
      } catch (thrown) {
        const error = errorOf(thrown)
        setProblems(placeProblems(error.fields, read))
        throw error
      }
    })
  }

  /** Reads what there is now: instead of what stands in the form, or only so that this may take its place. */
  const takeLatest = (whole: boolean): void =>
    void taking.run(async () => {
      if (before === undefined) return
      const latest = await api.request<Stored>('GET', `/strategies/${before.id}`)
      setVersion(latest.version)
      if (whole) setDraft(draftOf(latest))
      doing.clear()
      note(
        'fair',
        whole
          ? 'These are the values that are stored now. Yours are gone.'
          : 'What stands in the form is still yours; storing it replaces what the other one has stored.',
      )
    })

  return (
    <Form onSubmit={submit} problems={problems} label="Strategy">
      <Failure error={doing.error}>
        {doing.error?.is('VERSION_CONFLICT') ? (
          <div class="buttons">
            <Button busy={taking.busy} onClick={() => takeLatest(true)}>
              Show what is stored now
            </Button>
            <Button busy={taking.busy} onClick={() => takeLatest(false)}>
              Keep what I have typed
            </Button>
          </div>
        ) : null}
      </Failure>
      <Failure error={taking.error} />
      <StrategyFields draft={draft} onDraft={setDraft} problems={problems} />
      <div class="buttons">
        <Button kind="main" type="submit" busy={doing.busy}>
          {before === undefined ? 'Create the strategy' : 'Store the changes'}
        </Button>
        <a class="button quiet" href="#/strategies">
          Cancel
        </a>
      </div>
    </Form>
  )
}
