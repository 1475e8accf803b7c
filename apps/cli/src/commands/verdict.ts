import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import path from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { Command } from 'commander'
import { CliError, exitCodes, type Io } from '../io.js'
import { compileManifests } from '../manifests.js'
import { withHelp } from '../options.js'
import { requireFolder } from '../places.js'

interface Options {
  readonly manifests: string[]
  readonly flows: string
  readonly stable?: boolean
}

export function register(program: Command, io: Io): void {
  const command = program
    .command('verdict')
    .requiredOption('--manifests <dir...>', 'folders with manifests; their union is judged')
    .requiredOption('--flows <file>', 'flows, one JSON object per line; - reads stdin')
    .option('--stable', 'leave out what changes when other objects are added (addresses)')
    .description('Judges many flows: one per line in, one verdict per line out, in order. Nothing needs to be up.')
  withHelp(command, {
    examples: [
      'npx bulkhead verdict --manifests k8s/workloads k8s/layers --flows flows.jsonl',
      `echo '{"from":{"workload":"shop/notsleep"},"to":{"service":"shop/web-api"},"port":8080}' | npx bulkhead verdict --manifests k8s/workloads k8s/layers --flows -`,
    ],
    exit: '0 every line was judged, 2 bad manifests (nothing on stdout), or a bad line (an error stands in its place)',
  })
  command.action(async ({ manifests, flows, stable }: Options) => {
    const folders = manifests.map((given) => {
      const folder = path.resolve(io.cwd, given)
      requireFolder(folder, given)
      return folder
    })
    const input = await open(io, flows)
    const snapshot = await compileManifests(io, {
      folders,
      relativeTo: (folder) => folder,
      title: manifests.join(' and '),
    })
    const { verdictLine } = await import('@bulkhead/verdict')
    let number = 0
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      io.signal.throwIfAborted()
      number += 1
      if (line.trim() === '') continue
      const { json, failed } = verdictLine(line, number, snapshot, { stable: stable === true })
      if (failed) io.exit(exitCodes.badInput)
      // A reader slower than the engine must not make the lines pile up here.
      if (!io.stdout.write(`${json}\n`)) await new Promise((resolve) => io.stdout.once('drain', resolve))
    }
  })
}

async function open(io: Io, file: string): Promise<Readable> {
  if (file === '-') return io.stdin
  const resolved = path.resolve(io.cwd, file)
  const found = await stat(resolved).catch(() => undefined)
  if (found === undefined) throw new CliError(`there is no file "${file}".`)
  if (found.isDirectory()) throw new CliError(`"${file}" is a folder; a file with one flow per line is needed.`)
  return createReadStream(resolved)
}
