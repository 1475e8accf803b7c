import { useState } from 'preact/hooks'
import { allOf } from '../api/resources.js'
import type { Processes, Scheduler } from '../api/types.js'
import { byName } from '../logic/processes.js'
import { plural, timeWords } from '../logic/words.js'
import { useApp } from '../state/context.js'
import { useEvery, useLoad } from '../state/load.js'
import { Button, Empty, Failure, Heading, Loading } from '../ui/basics.js'
import { CheckField } from '../ui/fields.js'
import { Table } from '../ui/table.js'
import { SchedulerState } from './nodes.js'

const EVERY_MS = 5_000

export function Node({ name }: { readonly name: string }) {
  return (
    <>
      <Heading>Node {name}</Heading>
      <p>
        <a href="#/nodes">All nodes</a>
      </p>
      <SchedulerCard name={name} />
      <ProcessesOf name={name} />
    </>
  )
}

function SchedulerCard({ name }: { readonly name: string }) {
  const { api } = useApp()
  const { data, error, loading, reload } = useLoad((signal) => allOf(api, 'schedulers', signal), [])
  const scheduler = data?.items.find(({ node }) => node === name)
  return (
    <section aria-labelledby="scheduler">
      <h2 id="scheduler">Scheduler</h2>
      <Failure error={error} retry={reload} />
      {loading && data === undefined ? <Loading what="the scheduler" /> : null}
      {data !== undefined && scheduler === undefined ? (
        <Empty title="No scheduler of this node has reported.">
          <p>Intents of its pods wait until one does.</p>
        </Empty>
      ) : null}
      {scheduler === undefined ? null : <SchedulerFacts scheduler={scheduler} />}
    </section>
  )
}

function SchedulerFacts({ scheduler }: { readonly scheduler: Scheduler }) {
  const metrics = Object.entries(scheduler.metrics ?? {})
  return (
    <>
      <dl class="facts card">
        <dt>Pod</dt>
        <dd>{scheduler.podName}</dd>
        <dt>State</dt>
        <dd>
          <SchedulerState scheduler={scheduler} />
        </dd>
        <dt>Started</dt>
        <dd>{timeWords(scheduler.startedAt)}</dd>
        <dt>Reported last</dt>
        <dd>{timeWords(scheduler.lastSeen)}</dd>
        <dt>Intents</dt>
        <dd>{scheduler.intents}</dd>
        <dt>Version of its set</dt>
        <dd>{scheduler.setVersion === 0 ? 'none since its start' : scheduler.setVersion}</dd>
        <dt>Root of its set</dt>
        <dd>
          <code class="hash">{scheduler.rootHash}</code>
        </dd>
        <dt>Root that it should have</dt>
        <dd>
          <code class="hash">{scheduler.expectedRoot}</code>
        </dd>
      </dl>
      {metrics.length === 0 ? (
        <p class="hint">The sched_ext scheduler beside it has said nothing yet.</p>
      ) : (
        <details>
          <summary>What the sched_ext scheduler beside it says</summary>
          <dl class="facts">
            {metrics.map(([key, value]) => [
              <dt key={`${key} name`}>
                <code>{key}</code>
              </dt>,
              <dd key={key}>{value}</dd>,
            ])}
          </dl>
        </details>
      )}
    </>
  )
}

/** Asked for by a person: it makes the node's scheduler read all of /proc. */
function ProcessesOf({ name }: { readonly name: string }) {
  const { api } = useApp()
  const [asked, setAsked] = useState(false)
  const [auto, setAuto] = useState(false)
  const { data, error, loading, reload } = useLoad(
    async (signal) =>
      asked ? api.request<Processes>('GET', `/nodes/${encodeURIComponent(name)}/pods/pids`, { signal }) : undefined,
    [asked],
  )
  useEvery(EVERY_MS, auto && !loading, reload, loading)
  return (
    <section aria-labelledby="processes">
      <h2 id="processes">Processes of its pods</h2>
      <div class="buttons">
        <Button busy={asked && loading} onClick={() => (asked ? reload() : setAsked(true))}>
          Load
        </Button>
        <CheckField
          label={`Auto, every ${EVERY_MS / 1_000} s`}
          checked={auto}
          onChecked={(on) => {
            setAuto(on)
            if (on) setAsked(true)
          }}
        />
      </div>
      <Failure error={error} retry={asked ? reload : undefined} />
      {data === undefined && !asked ? <p class="hint">The node’s scheduler reads them when you ask.</p> : null}
      {data === undefined ? null : (
        <>
          <p class="small">
            As of <time dateTime={data.timestamp}>{timeWords(data.timestamp)}</time>: {plural(data.pods.length, 'pod')}.
          </p>
          {data.pods.length === 0 ? <Empty title="No pod that you may see has a process there." /> : null}
          <ul class="fold">
            {byName(data.pods).map(({ podUid, name: pod, processes }) => (
              <li key={podUid}>
                <details>
                  <summary>
                    <span class="name">{pod}</span>{' '}
                    <span class="small">{plural(processes.length, 'process', 'processes')}</span>
                  </summary>
                  {pod === podUid ? null : (
                    <p class="small">
                      UID <code>{podUid}</code>
                    </p>
                  )}
                  <Table
                    caption={`Processes of ${pod}`}
                    rows={processes}
                    keyOf={({ pid }) => String(pid)}
                    columns={[
                      { head: 'PID', kind: 'first', cell: ({ pid }) => pid },
                      { head: 'Command', cell: ({ command }) => <code>{command}</code> },
                      { head: 'Parent', cell: ({ ppid }) => ppid ?? '–' },
                      {
                        head: 'Container',
                        cell: ({ containerId }) =>
                          containerId === undefined ? '–' : <code class="hash">{containerId}</code>,
                      },
                    ]}
                  />
                </details>
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  )
}
