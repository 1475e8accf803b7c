import assert from 'node:assert/strict'
import { join, resolve } from 'node:path'
import { describe, it } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { readPins } from '../pins.js'
import { placeOf } from '../place.js'
import { goodAnswers, goodMachine, recordingTools } from '../testing/index.js'
import { shortCommandLine } from '../tools/command-line.js'
import { shellWord } from '../tools/shell-word.js'
import { type Command, type CommandResult, ToolError, type Tools } from '../tools.js'
import { checksFor, examine } from './examine.js'
import { readKindConfig } from './kind-config.js'

/*
 * How the doctor asks: none of these waits for a clock. What does not come about leaves a promise open, and the runner says so.
 */

const root = resolve(import.meta.dirname, '../../../..')
const ground = {
  ...{ pins: readPins(root), config: readKindConfig(root), machine: goodMachine() },
  place: placeOf(root, join(root, 'no-state-here')),
}
const registries = [
  [/^docker buildx imagetools/, {}],
  [/^helm show chart/, {}],
] as const
const ids = (options = {}): readonly string[] => checksFor(recordingTools([]), ground, options).map(({ id }) => id)

/** Tools of a good machine, each of whose answers is let through by `before`. */
function held(before: (line: string, command: Command) => Promise<void>): Tools {
  const answers = recordingTools(goodAnswers(registries))
  return {
    run: async (command, options): Promise<CommandResult> => {
      await before(shortCommandLine(command), command)
      return answers.run(command, options)
    },
  }
}

/** A promise, and what keeps it. */
function gate(): { readonly open: () => void; readonly opened: Promise<void> } {
  let open = (): void => {}
  const opened = new Promise<void>((done) => {
    open = done
  })
  return { open: () => open(), opened }
}

describe('the doctor', () => {
  it('asks all tools that wait for no other before the first of them answers', async () => {
    const first = ['docker version', 'docker ps', 'kind version', 'kubectl version', 'helm version', 'cilium version']
    const waited = new Set([...first, 'istioctl version'])
    const { open, opened } = gate()
    const tools = held((line) => {
      for (const one of waited) if (line.startsWith(one)) waited.delete(one)
      if (waited.size === 0) open()
      return opened
    })
    const findings = await examine(tools, ground)
    assert.deepEqual(
      findings.filter(({ status }) => status !== 'ok'),
      [],
    )
  })

  it('waits for a tool that hangs only where something hangs on it, and tells all in its order', async () => {
    const others = new Set(
      ['version', 'info', 'context', 'buildx', 'ps', 'network', 'container'].map((word) => `docker ${word}`),
    )
    for (const tool of ['kubectl', 'helm', 'cilium', 'istioctl']) others.add(`${tool} version`)
    const { open, opened } = gate()
    const tools = held(async (line, command) => {
      for (const one of others) if (line.startsWith(one)) others.delete(one)
      if (others.size === 0) open()
      if (!line.startsWith('kind version')) return
      await opened
      throw new ToolError('timeout', 'kind version took longer than 20 s', command)
    })
    const told: string[] = []
    const findings = await examine(tools, ground, { onFinding: ({ id }) => told.push(id) })
    assert.deepEqual(told, ids())
    assert.deepEqual(
      findings.flatMap(({ id, status }) => (status === 'ok' ? [] : [`${id} ${status}`])),
      ['kind fail', 'cluster skipped'],
    )
  })

  it('tells what it finds in its order, whoever answers first', async () => {
    const waiting: (() => void)[] = []
    const tools = held(async () => {
      await new Promise<void>((done) => {
        waiting.push(done)
        // The last that has asked is the first that is answered, once nobody else asks.
        setImmediate(() => setImmediate(() => waiting.pop()?.()))
      })
    })
    const told: string[] = []
    await examine(tools, ground, { onFinding: ({ id }) => told.push(id), registries: true })
    assert.deepEqual(told, ids({ registries: true }))
  })

  it('has no more than a dozen commands under way', async () => {
    let [now, most] = [0, 0]
    const tools = held(async () => {
      now += 1
      most = Math.max(most, now)
      for (let left = 5; left > 0; left -= 1) await turn()
      now -= 1
    })
    await examine(tools, ground, { registries: true })
    assert.ok(most > 6 && most <= 12, `${most}`)
  })

  it('says what to type for the state that it was given', async () => {
    const machine = goodMachine({ env: { HTTPS_PROXY: 'http://127.0.0.1:3128' } })
    const findings = await examine(recordingTools(goodAnswers()), { ...ground, machine })
    const remedy = findings.find(({ id }) => id === 'proxy')?.remedy?.join(' ')
    assert.ok(remedy?.includes(`npx bulkhead cluster up --state ${shellWord(join(root, 'no-state-here'))}`), remedy)
  })

  it('that is called off leaves nothing under way', async () => {
    const abort = new AbortController()
    const why = new Error('Ctrl-C')
    let under = 0
    const tools: Tools = {
      run: (_, { signal } = {}) => {
        under += 1
        if (under === 5) abort.abort(why)
        return new Promise((_resolve, reject) => {
          const ended = (): void => {
            under -= 1
            reject(signal?.reason)
          }
          if (signal?.aborted === true) ended()
          else signal?.addEventListener('abort', () => setImmediate(ended), { once: true })
        })
      },
    }
    await assert.rejects(examine(tools, ground, { signal: abort.signal }), (error) => error === why)
    assert.equal(under, 0)
  })
})
