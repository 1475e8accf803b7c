import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { startManager } from '../testing/index.js'
import { rules } from './testing/model/index.js'
import { refusalCodes } from './testing/model/refusals.js'
import { quickService } from './testing/quick-service.js'
import { rare } from './testing/rare.js'
import { Replay } from './testing/replay.js'
import { scene } from './testing/scenes.js'

/*
 * Random users make random calls of every operation, with tokens that may be dead; pods come and go, schedulers too. A model that was written
 * from the contract says of each call what has to come of it: status, words, data. At the end both have to agree on all that is stored. The
 * everyday run makes the same calls each time; BULKHEAD_LONG=1 makes others, and many; BULKHEAD_SEED repeats a run.
 */

const LONG = process.env.BULKHEAD_LONG === '1'
const seed = process.env.BULKHEAD_SEED
const numRuns = LONG ? 2_000 : 30
/** With this one and the scene by hand, the everyday run sees every refusal of the model. */
const EVERYDAY = 6

test('random calls by random users come to what a model of the contract says (1.3 to 1.9, M1 to M15)', {
  timeout: LONG ? 3_000_000 : 120_000,
}, async (t) => {
  const m = await startManager(t)
  const service = await quickService(t, m)
  const seen = new Map<string, number>()

  const withoutRules = service.routes.filter(({ operationId }) => !(operationId in rules))
  assert.deepEqual(
    withoutRules.map(({ operationId }) => operationId),
    ['createSession', 'getSession', 'deleteSession', 'getVersion'],
    "the model has a rule for every operation but a browser's way to log in and out, and what is the same for all",
  )

  await fc.assert(
    fc.asyncProperty(scene, async (given) => {
      const replay = new Replay(m, service)
      await replay.begin(given)
      for (const step of given.steps) {
        if ('event' in step) {
          replay.happen(step)
          continue
        }
        const outcome = `${step.operation} ${await replay.call(step)}`
        seen.set(outcome, (seen.get(outcome) ?? 0) + 1)
      }
      await replay.end()
    }),
    {
      numRuns,
      examples: [[rare]],
      includeErrorInReport: true,
      endOnFailure: !LONG,
      unbiased: true,
      ...(seed === undefined ? (LONG ? {} : { seed: EVERYDAY }) : { seed: Number(seed) }),
    },
  )

  if (LONG) t.diagnostic(JSON.stringify(Object.fromEntries([...seen].sort())))
  const outcomes = [...seen.keys()]
  const neverDone = Object.keys(rules).filter((operation) => !seen.has(`${operation} ok`))
  const neverRefused = refusalCodes.filter((code) => !outcomes.some((each) => each.endsWith(` ${code}`)))
  assert.deepEqual([neverDone, neverRefused], [[], []], 'what was never reached was not tested')
})
