import type { Command } from 'commander'
import { type Io, printable } from '../io.js'
import { linesOf, type StateOption, withHelp, withState } from '../options.js'
import { findTarget } from '../target/find.js'

interface LogsOptions extends StateOption {
  readonly follow?: boolean
  readonly tail: number
}

export function register(program: Command, io: Io): void {
  const command = program
    .command('logs')
    .description("A workload's log: what its pods wrote, and what the supervisor did with them.")
    .argument('<workload>', 'namespace/workload, or namespace/pod')
    .option('-f, --follow', 'go on as the log grows, until Ctrl-C')
    .option('--tail <n>', 'begin with this many of the last lines', linesOf, 100)
    .action((workload: string, options: LogsOptions) => logs(workload, options, io))
  withHelp(withState(command), {
    examples: ['npx bulkhead logs shop/web-api', 'npx bulkhead logs shop/web-api -f --tail 0'],
    exit: '0, or 2 when there is no such workload or nothing is up.',
  })
}

async function logs(workload: string, options: LogsOptions, io: Io): Promise<void> {
  const client = findTarget(io, options)
  if (options.follow !== true) {
    const found = (await client.logs(workload, options.tail)).logs
    for (const { pod, text } of found)
      io.stdout.write(`${found.length > 1 ? `==> ${pod}\n` : ''}${printable(text, 'colours')}`)
    return
  }
  let last: string | undefined
  for await (const { pod, text } of client.followLogs(workload, options.tail, io.signal)) {
    if (last !== undefined && last !== pod) io.stdout.write(`==> ${pod}\n`)
    last = pod
    io.stdout.write(printable(text, 'colours'))
  }
}
