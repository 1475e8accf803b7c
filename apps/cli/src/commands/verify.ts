import type { Command } from 'commander'
import type { Io } from '../io.js'
import { type OnOption, type StateOption, withHelp, withJson, withOn, withState } from '../options.js'
import { type ReportOptions, withReport } from '../report.js'
import { runScenariosOnTarget } from '../scenario-run.js'

export function register(program: Command, io: Io): void {
  const command = program
    .command('verify')
    .argument('[id...]', 'only these scenarios, by the names of their files in scenarios/ (default: all)')
    .description(
      'Runs the scenarios on what is up: expected with the walls that are on, predicted, and observed, side by side.',
    )
  withState(withOn(withReport(withJson(command))))
  withHelp(command, {
    examples: [
      'npx bulkhead verify',
      'npx bulkhead verify --json',
      'npx bulkhead verify --on kind --output report.html --output report.xml',
    ],
    exit: '0 all three agree everywhere, 1 they do not, or nothing was tried, or a whole kind of witness was silent, 2 bad input or nothing is up',
  })
  command.action(async (ids: string[], options: ReportOptions & StateOption & OnOption) => {
    const { renderVerify, verifyPassed } = await import('@bulkhead/scenarios')
    const run = await runScenariosOnTarget(io, options, { ids, what: 'scenario' })
    await run.print(renderVerify)
    io.exit(verifyPassed(run.report) ? 0 : 1)
  })
}
