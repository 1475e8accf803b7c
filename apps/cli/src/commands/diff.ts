import type { Command } from 'commander'
import { CliError, exitCodes, type Io, note, print, printJson } from '../io.js'
import { compileManifests } from '../manifests.js'
import { type JsonOption, withHelp, withJson } from '../options.js'
import { groundOf, withSide } from '../revision/sides.js'
import { type Style, styleOf } from '../style.js'

interface Options extends JsonOption {
  readonly markdown?: boolean
  readonly path?: string
}

export function register(program: Command, io: Io): void {
  const command = program
    .command('diff')
    .argument('[before]', 'a folder with manifests, or else a git revision: main, HEAD~1, a tag', 'HEAD')
    .argument('[after]', 'the same; . is the working tree', '.')
    .description('What a change of the manifests opens and closes: every flow, asked of both. Nothing needs to be up.')
    .option('--path <dir>', "the manifests' folder in the repository (default: k8s)")
    .option('--markdown', 'print the result as Markdown, for a pull request')
  withHelp(withJson(command), {
    examples: [
      'npx bulkhead diff',
      'npx bulkhead diff main',
      'npx bulkhead diff v1 v2 --markdown',
      'npx bulkhead diff k8s ../other-clone/k8s',
    ],
    exit: '0 nothing opened and nothing closed; 1 something opened or closed; 2 bad input.',
  })
  command.action((before: string, after: string, options: Options) => diff(before, after, options, io))
}

async function diff(before: string, after: string, { json, markdown, path }: Options, io: Io): Promise<void> {
  if (json === true && markdown === true) throw new CliError('--json and --markdown are two forms; write one of them.')
  const ground = await groundOf(io, path)
  // One after the other: the second one's pods keep the addresses of the first one's.
  const old = await withSide(io, before, ground, async (set) => ({
    title: set.title,
    snapshot: await compileManifests(io, set, { quiet: true }),
  }))
  const now = await withSide(io, after, ground, async (set) => ({
    title: set.title,
    snapshot: await compileManifests(io, set, { previous: old.snapshot }),
  }))
  const { diffJson, diffMarkdown, diffSnapshots, renderDiff } = await import('@bulkhead/analysis')
  const found = diffSnapshots(old.snapshot, now.snapshot)
  if (json === true) printJson(io, { before: old.title, after: now.title, ...diffJson(found) })
  else if (markdown === true) io.stdout.write(diffMarkdown(found))
  else {
    note(io, `compared: ${old.title} with ${now.title}`)
    print(io, coloured(renderDiff(found), styleOf(io)))
  }
  if (found.opened.length + found.closed.length > 0) io.exit(exitCodes.deny)
}

/** What opens is where the danger is. */
export function coloured(text: string, style: Style): string {
  return text
    .replace(/^\+ .*$/gm, (line) => style.red(line))
    .replace(/^- .*$/gm, (line) => style.green(line))
    .replace(/^~ .*$/gm, (line) => style.yellow(line))
}
