import { useState } from 'preact/hooks'
import { allOf } from '../api/resources.js'
import type { Intent } from '../api/types.js'
import { byNode, nodeWords } from '../logic/intents.js'
import { may } from '../logic/may.js'
import { linkTo } from '../logic/where.js'
import { durationWords, intentStateWords, plural, shortId } from '../logic/words.js'
import { useApp } from '../state/context.js'
import { useDoing, useLoad } from '../state/load.js'
import { Button, Empty, Failure, focusHeading, Heading, Loading, Pill } from '../ui/basics.js'
import { Confirm } from '../ui/dialog.js'
import { Tabs } from '../ui/tabs.js'

/** So many pages are read at first; then a person asks for more. */
const PAGES = 5

export function Intents() {
  const { api, session, note } = useApp()
  const [most, setMost] = useState(PAGES)
  const { data, error, loading, reload } = useLoad((signal) => allOf(api, 'intents', signal, {}, most), [most])
  const [chosen, setChosen] = useState<string | undefined>()
  const [doomed, setDoomed] = useState<Intent | undefined>()
  const deleting = useDoing()
  const nodes = byNode(data?.items ?? [])
  const shown = nodes.find(({ node }) => node === chosen) ?? nodes[0]
  const close = (): void => {
    setDoomed(undefined)
    deleting.clear()
  }
  return (
    <>
      <Heading
        actions={
          <Button busy={loading} onClick={reload}>
            Read again
          </Button>
        }
      >
        Intents
      </Heading>
      <p class="lead">
        One for each pod that a strategy of yours is for. <strong>Waiting</strong>: the node’s scheduler does not know
        yet; <strong>Sent</strong>: it does.
      </p>
      <Failure error={error} retry={reload} />
      {loading && data === undefined ? <Loading what="intents" /> : null}
      {data !== undefined && nodes.length === 0 ? (
        <Empty title="There are no intents yet.">
          <p>They are made of strategies: one for each pod that matches.</p>
          {may(session, 'schedule_strategy.create') ? (
            <a class="button main" href={linkTo({ screen: 'strategy-new' })}>
              New strategy
            </a>
          ) : null}
        </Empty>
      ) : null}
      {shown === undefined ? null : (
        <Tabs
          label="Nodes"
          chosen={shown.node}
          onChoose={setChosen}
          tabs={nodes.map(({ node, intents }) => ({
            key: node,
            words: (
              <>
                {nodeWords(node)} <span class="count">{intents.length}</span>
              </>
            ),
          }))}
        >
          <p class="small">
            {plural(shown.intents.length, 'intent')}, {shown.sent} sent, {shown.intents.length - shown.sent} waiting.
          </p>
          <ul class="fold">
            {shown.intents.map((intent) => (
              <li key={intent.id}>
                <IntentRow intent={intent} remove={may(session, 'schedule_intent.delete') ? setDoomed : undefined} />
              </li>
            ))}
          </ul>
        </Tabs>
      )}
      {data?.next === undefined ? null : (
        <p>
          <Button busy={loading} onClick={() => setMost(most + PAGES)}>
            There are more: read on
          </Button>
        </p>
      )}
      {doomed === undefined ? null : (
        <Confirm
          title="Delete this intent?"
          action="Delete"
          busy={deleting.busy}
          error={deleting.error}
          onClose={close}
          onConfirm={() =>
            void deleting.run(async () => {
              await api.request('DELETE', `/intents/${doomed.id}`)
              close()
              note('good', `The intent for ${doomed.podName} is deleted.`)
              reload()
              focusHeading()
            })
          }
        >
          <p>
            For the pod <code>{doomed.podName}</code>. While its strategy is there, the manager makes it again the next
            time that it compares strategies with pods: to be rid of it for good, change or delete the strategy.
          </p>
        </Confirm>
      )}
    </>
  )
}

function IntentRow({
  intent,
  remove,
}: {
  readonly intent: Intent
  readonly remove: ((intent: Intent) => void) | undefined
}) {
  const labels = Object.entries(intent.podLabels)
  return (
    <details>
      <summary>
        <span class="name">
          {intent.k8sNamespace}/{intent.podName}
        </span>{' '}
        <Pill kind={intent.state === 2 ? 'good' : intent.state === 1 ? 'fair' : 'plain'}>
          {intentStateWords(intent.state)}
        </Pill>{' '}
        <span class="small">
          priority {intent.priority}, {durationWords(intent.executionTime)}
        </span>
      </summary>
      <dl class="facts">
        <dt>Pod’s UID</dt>
        <dd>
          <code>{intent.podId}</code>
        </dd>
        <dt>Node</dt>
        <dd>{nodeWords(intent.nodeId)}</dd>
        <dt>Strategy</dt>
        <dd>
          <a href={linkTo({ screen: 'strategy', id: intent.strategyId })}>…{shortId(intent.strategyId)}</a>
        </dd>
        <dt>Command</dt>
        <dd>{intent.commandRegex === '' ? 'any' : <code>{intent.commandRegex}</code>}</dd>
        <dt>Labels</dt>
        <dd>
          {labels.length === 0 ? 'none' : null}
          {labels.map(([key, value]) => (
            <code key={key} class="label">
              {key}={value}
            </code>
          ))}
        </dd>
      </dl>
      {remove === undefined ? null : (
        <div class="buttons">
          <Button onClick={() => remove(intent)} label={`Delete the intent for ${intent.podName}`}>
            Delete
          </Button>
        </div>
      )}
    </details>
  )
}
