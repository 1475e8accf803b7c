import path from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import type { TestContext } from 'node:test'
import { type Place, placeOf } from '@bulkhead/kind-cluster'
import { ownCluster, type RecordingTools, recordingTools } from '@bulkhead/kind-cluster/testing'
import { plainFolder } from '@bulkhead/testing'
import { repository } from '../golden.js'
import type { Io } from '../io.js'
import type { ClusterTools } from './place.js'

export type Table = Parameters<typeof recordingTools>[0]

/** Tools that answer from a table, and a state folder of its own. */
export function recorded(
  t: TestContext,
  table: (given: ClusterTools['place']) => Table,
): ClusterTools & { readonly tools: RecordingTools } {
  const state = plainFolder(t)
  const place = placeOf(path.resolve(repository), state)
  return { place, tools: recordingTools(table(place)) }
}

/** What a cluster answers that is made as it should be: its canary is shut in, and admission refuses by each policy. */
export function goodCluster(place: Place): Table {
  let canary = 0
  return [
    ...ownCluster(place),
    [/^kubectl exec .*attempt$/, () => ({ stdout: `{"symptom":"${canary++ % 2 === 0 ? 'ok' : 'timeout'}"}` })],
    [
      /^kubectl create .*--dry-run=server/,
      ({ args }) => ({
        code: 1,
        stderr: `Policy ${/10-admission\/([^/]+)/.exec(args.join(' '))?.[1] ?? 'allowed-images'} failed: no`,
      }),
    ],
    [/^helm .*list/, { stdout: '[]' }],
  ]
}

/** Without looking at this machine, and without a pause between two tries. */
export const quick = { preflight: async () => {}, pauseMs: 0 }

/** Somebody at no terminal, and what he is shown. */
export function reader(signal: AbortSignal = new AbortController().signal): {
  readonly io: Io
  stdout(): string
  stderr(): string
  code(): number
} {
  const out: string[] = []
  const err: string[] = []
  let code = 0
  const into = (texts: string[]) =>
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        texts.push(chunk.toString())
        done()
      },
    })
  const io: Io = {
    stdin: new PassThrough().end(),
    stdout: into(out),
    stderr: into(err),
    cwd: repository,
    env: {},
    colour: false,
    signal,
    exit: (given) => {
      code = given
    },
  }
  return { io, stdout: () => out.join(''), stderr: () => err.join(''), code: () => code }
}
