import type { Sighting } from '@bulkhead/scenarios'
import type { FlowRecord } from '@bulkhead/verdict'
import type { Command } from 'commander'
import { type Io, note, printable } from '../io.js'
import { type JsonOption, linesOf, type OnOption, type StateOption, withHelp, withOn, withState } from '../options.js'
import { styleOf } from '../style.js'
import { findTarget } from '../target/find.js'
import { flowLine } from '../target/flow-line.js'
import { sightingLine } from '../target/sighting-line.js'

interface FlowsOptions extends JsonOption, StateOption, OnOption {
  readonly follow?: boolean
  readonly tail?: number
}

export function register(program: Command, io: Io): void {
  const command = program
    .command('flows')
    .description(
      "The connections of the running target, and the requests at its gateways and waypoints: one line each at its end, with what decided it. On a cluster: what ztunnel, Cilium's agents and the gateways write down of them, as one stream.",
    )
    .option('-f, --follow', 'go on as they end, until Ctrl-C')
    .option('--tail <n>', 'only this many of the last records', linesOf)
    .option('--json', 'print each record as JSON, one a line')
    .action((options: FlowsOptions) => (options.on === 'kind' ? sightings(options, io) : flows(options, io)))
  withHelp(withOn(withState(command)), {
    examples: [
      'npx bulkhead flows',
      'npx bulkhead flows --tail 10',
      'npx bulkhead flows -f --json',
      'npx bulkhead flows -f --on kind',
    ],
    exit: '0, or 2 when nothing is up.',
  })
}

async function flows(options: FlowsOptions, io: Io): Promise<void> {
  const client = findTarget(io, options)
  const style = styleOf(io)
  const show = (record: FlowRecord) => {
    const line = options.json === true ? JSON.stringify(record) : flowLine(record)
    // A record is a line, however long: it is searched and counted like a log's.
    io.stdout.write(`${record.outcome === 'allow' || options.json === true ? line : style.red(line)}\n`)
  }
  // What is kept comes first; what ends while it is read must be shown once.
  let last = -1
  const kept = await client.flows()
  for (const [index, record] of kept.entries()) {
    if (index >= kept.length - (options.tail ?? kept.length)) show(record)
    last = record.id
  }
  if (options.follow !== true) return
  for await (const record of client.followFlows(io.signal)) if (record.id > last) show(record)
}

/** How far back a cluster's logs are read. */
const sinceSeconds = 300

async function sightings(options: FlowsOptions, io: Io): Promise<void> {
  const [{ findKind }, { checkOurs, followSightings, readRecord }] = await Promise.all([
    import('../target/kind.js'),
    import('@bulkhead/kind-cluster'),
  ])
  const kind = findKind(io, options)
  // A file can be exchanged: nobody else's cluster is asked what it wrote down.
  await checkOurs(kind.tools, kind.place, readRecord(kind.place), { signal: io.signal })
  const style = styleOf(io)
  const show = (sighting: Sighting): void => {
    const line = options.json === true ? JSON.stringify(sighting) : sightingLine(sighting)
    io.stdout.write(`${sighting.outcome === 'deny' && options.json !== true ? style.red(line) : line}\n`)
  }
  const onLost = (what: string): void => note(io, printable(what))
  const kept: Sighting[] = []
  for await (const sighting of followSightings(kind, io.signal, { sinceSeconds, untilNow: true, onLost }))
    kept.push(sighting)
  // Several logs are read at once.
  kept.sort((one, other) => Date.parse(one.at) - Date.parse(other.at))
  for (const sighting of options.tail === undefined ? kept : kept.slice(kept.length - options.tail)) show(sighting)
  if (options.follow !== true) return
  const shown = new Set(kept.map(({ line }) => line))
  for await (const sighting of followSightings(kind, io.signal, { sinceSeconds: 5, onLost })) {
    // What was written while it was read comes again.
    if (!shown.delete(sighting.line)) show(sighting)
  }
}
