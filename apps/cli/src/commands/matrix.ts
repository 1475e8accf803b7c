import type { Matrix } from '@bulkhead/analysis'
import type { Resource } from '@bulkhead/resources'
import type { Command } from 'commander'
import { columnsOf } from '../fit.js'
import { CliError, type Io, note, printJson } from '../io.js'
import { chooseLayers, type LayerChoice } from '../layers.js'
import { compileManifests, ownManifests } from '../manifests.js'
import { type JsonOption, withHelp, withJson } from '../options.js'
import { type Style, styleOf } from '../style.js'

interface Options extends JsonOption, LayerChoice {
  readonly manifests?: string[]
  readonly from?: string[]
  readonly to?: string[]
  readonly markdown?: boolean
}

export function register(program: Command, io: Io): void {
  const command = program
    .command('matrix')
    .description(
      'Who may call whom, by the manifests as they are written. Nothing needs to be up. Where a network policy is written, in a layer that is off too, the last columns are the way out: each host that a policy names, and world:443 for any other.',
    )
    .option('--from <name...>', 'only these callers: NAMESPACE/WORKLOAD, or outside')
    .option(
      '--to <name...>',
      'only these that are called: NAMESPACE/NAME of a Service, workload or gateway, or with :PORT',
    )
    .option('--layers <names>', 'only these layers are on, by name or number: 40-mtls,50-identity; none: no layer')
    .option('--without <names>', 'these layers are off')
    .option('--manifests <dir...>', 'the manifests (default: k8s/workloads and k8s/layers)')
    .option('--markdown', 'print the result as Markdown')
  withHelp(withJson(command), {
    examples: [
      'npx bulkhead matrix',
      'npx bulkhead matrix --without 50-identity',
      'npx bulkhead matrix --from outside shop/sleep --to shop/web-api --json',
    ],
    exit: '0, or 2 for bad input',
  })
  command.action((options: Options) => printMatrix(options, io))
}

async function printMatrix(options: Options, io: Io): Promise<void> {
  const { json, markdown, manifests, from, to, layers, without } = options
  if (json === true && markdown === true) throw new CliError('--json and --markdown are two forms; write one of them.')
  const set = ownManifests(io, manifests)
  const choose = chooseLayers({ ...(layers !== undefined && { layers }), ...(without !== undefined && { without }) })
  let written: readonly Resource[] = []
  const snapshot = await compileManifests(io, set, {
    choose: (all) => {
      written = all
      return choose(all)
    },
  })
  const { matrix, matrixJson, matrixMarkdown, renderMatrix } = await import('@bulkhead/analysis')
  const found = await narrowed(matrix(snapshot, { written }), from, to)
  if (json === true) printJson(io, matrixJson(found))
  else if (markdown === true) io.stdout.write(matrixMarkdown(found))
  else {
    note(io, `asked: the manifests in ${set.title}`)
    const columns = columnsOf(io.stdout)
    io.stdout.write(coloured(renderMatrix(found, columns === undefined ? {} : { columns }), styleOf(io)))
  }
}

async function narrowed(whole: Matrix, from?: readonly string[], to?: readonly string[]): Promise<Matrix> {
  const sources = await chosen(whole.sources, from, '--from', (name, word) => name === word)
  const destinations = await chosen(
    whole.destinations,
    to,
    '--to',
    (name, word) => name === word || name.startsWith(`${word} `) || name.startsWith(`${word}:`),
  )
  const [rows, columns] = [new Set(sources), new Set(destinations)]
  const cells = whole.cells.filter((cell) => rows.has(cell.from) && columns.has(cell.to))
  return { sources, destinations, cells }
}

async function chosen(
  names: readonly string[],
  words: readonly string[] | undefined,
  option: string,
  matches: (name: string, word: string) => boolean,
): Promise<readonly string[]> {
  if (words === undefined) return names
  for (const word of words) {
    if (names.some((name) => matches(name, word))) continue
    const { didYouMean } = await import('@bulkhead/resources/suggest')
    const plain = names.flatMap((name) => [name, name.replace(/[: ].*$/, '')])
    throw new CliError(
      `${option} ${JSON.stringify(word)}: there is nothing of that name${didYouMean(word, plain) || '.'}`,
    )
  }
  return names.filter((name) => words.some((word) => matches(name, word)))
}

/** Signs of the table and of its legend. Names have none of them before and behind a space. */
function coloured(text: string, style: Style): string {
  return text.replace(/✓/g, style.green('✓')).replace(/(?<= )\?(?= |$)/gm, style.yellow('?'))
}
