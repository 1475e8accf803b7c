import type { Duplex } from 'node:stream'
import type { TestContext } from 'node:test'
import { cleanUp, eventually, temporaryFolder } from '@bulkhead/testing'
import type { FlowRecord, Snapshot } from '@bulkhead/verdict'
import { Mesh, type MeshParts } from '../mesh.js'
import type { Dialer } from '../seams.js'
import type { MeshOptions } from '../types.js'
import { FakeCapture } from './fake-capture.js'
import { fakeJudgeAt, fakeNextHop, fakeServedAt } from './fake-engine.js'
import { shop } from './fake-snapshot.js'

export interface Rig {
  readonly mesh: Mesh
  readonly capture: FakeCapture
  readonly runDir: string
}

/** A mesh with the pods of the fake shop up and ready, gone with the test. */
export async function startRig(
  t: TestContext,
  options: Partial<MeshOptions> = {},
  parts: Partial<MeshParts> = {},
): Promise<Rig> {
  const runDir = temporaryFolder(t)
  const snapshot: Snapshot = options.snapshot ?? shop()
  const made: FakeCapture[] = []
  const makeCapture = async (dialer: Dialer) => {
    const capture = await FakeCapture.start(dialer)
    made.push(capture)
    return capture
  }
  const mesh = await Mesh.start(
    { runDir, connectTimeoutMs: 400, ...options, snapshot },
    { judgeAt: fakeJudgeAt, nextHop: fakeNextHop, servedAt: fakeServedAt, makeCapture, ...parts },
  )
  cleanUp(t, () => mesh.close())
  const keys = [...snapshot.pods.keys()]
  await Promise.all(keys.map((key) => mesh.addPod(key)))
  for (const key of keys) mesh.setReady(key, true)
  const [capture] = made
  if (capture === undefined) throw new Error('no capture')
  return { mesh, capture, runDir }
}

/** Everything that comes, up to the end. Rejects with what the socket's error says. */
export function readAll(stream: Duplex): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
    })
    stream.once('end', () => resolve(text))
    stream.once('error', reject)
    stream.once('close', () => reject(new Error('closed before its end')))
  })
}

/** The one record of a run. */
export const recordOf = (mesh: Mesh, run: string): Promise<FlowRecord> =>
  eventually(`the flow record of ${run}`, () => mesh.flows({ run })[0])
