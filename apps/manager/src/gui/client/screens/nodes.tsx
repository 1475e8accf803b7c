import { allOf } from '../api/resources.js'
import type { Node, Scheduler } from '../api/types.js'
import { linkTo } from '../logic/where.js'
import { agoWords } from '../logic/words.js'
import { useApp } from '../state/context.js'
import { useLoad } from '../state/load.js'
import { Button, Empty, Failure, Heading, Loading, Pill } from '../ui/basics.js'
import { Table } from '../ui/table.js'

interface Row {
  readonly node: string
  readonly status: string | undefined
  readonly scheduler: Scheduler | undefined
}

/** Nodes that the cluster has, and schedulers of nodes that it has no longer. */
export function rowsOf(nodes: readonly Node[], schedulers: readonly Scheduler[]): readonly Row[] {
  const byNode = new Map(schedulers.map((scheduler) => [scheduler.node, scheduler]))
  const known = new Set(nodes.map(({ name }) => name))
  return [
    ...nodes.map(({ name, status }) => ({ node: name, status, scheduler: byNode.get(name) })),
    ...schedulers
      .filter(({ node }) => !known.has(node))
      .map((scheduler) => ({ node: scheduler.node, status: undefined, scheduler })),
  ]
}

export function Nodes() {
  const { api } = useApp()
  const nodes = useLoad((signal) => allOf(api, 'nodes', signal), [])
  const schedulers = useLoad((signal) => allOf(api, 'schedulers', signal), [])
  const reload = (): void => {
    nodes.reload()
    schedulers.reload()
  }
  const rows = rowsOf(nodes.data?.items ?? [], schedulers.data?.items ?? [])
  return (
    <>
      <Heading
        actions={
          <Button busy={nodes.loading || schedulers.loading} onClick={reload}>
            Read again
          </Button>
        }
      >
        Nodes
      </Heading>
      <p class="lead">
        On each node runs a scheduler that is told of the intents of its pods, and reports what it has.{' '}
        <strong>Being told</strong>: it has something else than it should, and is sent it; <strong>Silent</strong>: it
        has not reported for 90 seconds.
      </p>
      <Failure error={nodes.error} retry={nodes.reload} />
      <Failure error={schedulers.error} retry={schedulers.reload} />
      {nodes.loading && nodes.data === undefined ? <Loading what="nodes" /> : null}
      {nodes.data !== undefined && rows.length === 0 ? (
        <Empty title="The cluster has no nodes.">
          <p>The manager reads them from the Kubernetes API; look at its readiness in the overview.</p>
        </Empty>
      ) : null}
      {schedulers.data?.items.length === 0 && rows.length > 0 ? (
        <p class="box fair">
          No scheduler has reported yet, so intents wait. Schedulers are pods of their own, one on each node; they
          report within half a minute of their start.
        </p>
      ) : null}
      {rows.length === 0 ? null : (
        <Table
          caption="Nodes and their schedulers"
          rows={rows}
          keyOf={({ node }) => node}
          busy={nodes.loading || schedulers.loading}
          columns={[
            {
              head: 'Node',
              kind: 'first',
              cell: ({ node }) => <a href={linkTo({ screen: 'node', name: node })}>{node}</a>,
            },
            { head: 'Status', cell: ({ status }) => <NodeStatus status={status} /> },
            { head: 'Scheduler', cell: ({ scheduler }) => scheduler?.podName ?? 'none has reported' },
            {
              head: 'Reported',
              cell: ({ scheduler }) =>
                scheduler === undefined ? (
                  '–'
                ) : (
                  <time dateTime={scheduler.lastSeen}>{agoWords(scheduler.lastSeen, Date.now())}</time>
                ),
            },
            { head: 'Intents', kind: 'number', cell: ({ scheduler }) => scheduler?.intents ?? '–' },
            {
              head: 'State',
              cell: ({ scheduler }) => (scheduler === undefined ? '–' : <SchedulerState scheduler={scheduler} />),
            },
          ]}
        />
      )}
    </>
  )
}

function NodeStatus({ status }: { readonly status: string | undefined }) {
  if (status === undefined) return <Pill kind="plain">Not in the cluster</Pill>
  return (
    <Pill kind={status === 'Ready' ? 'good' : status === 'NotReady' ? 'bad' : 'fair'}>
      {status === 'NotReady' ? 'Not ready' : status}
    </Pill>
  )
}

export function SchedulerState({ scheduler }: { readonly scheduler: Scheduler }) {
  if (scheduler.stale) return <Pill kind="bad">Silent</Pill>
  return scheduler.inSync ? <Pill kind="good">Has what it should</Pill> : <Pill kind="fair">Being told</Pill>
}
