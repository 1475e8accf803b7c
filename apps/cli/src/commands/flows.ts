import type { FlowRecord } from '@bulkhead/verdict'
import type { Command } from 'commander'
import type { Io } from '../io.js'
import { type JsonOption, linesOf, type StateOption, withHelp, withState } from '../options.js'
import { styleOf } from '../style.js'
import { findTarget } from '../target/find.js'
import { flowLine } from '../target/flow-line.js'

interface FlowsOptions extends JsonOption, StateOption {
  readonly follow?: boolean
  readonly tail?: number
}

export function register(program: Command, io: Io): void {
  const command = program
    .command('flows')
    .description(
      'The connections of the running target, and the requests at its gateways and waypoints: one line each at its end, with what decided it.',
    )
    .option('-f, --follow', 'go on as they end, until Ctrl-C')
    .option('--tail <n>', 'only this many of the last records', linesOf)
    .option('--json', 'print each record as JSON, one a line')
    .action((options: FlowsOptions) => flows(options, io))
  withHelp(withState(command), {
    examples: ['npx bulkhead flows', 'npx bulkhead flows --tail 10', 'npx bulkhead flows -f --json'],
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
