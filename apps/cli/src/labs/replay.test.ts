// What a lab's page shows is what somebody sees who types it: every command of every page, on a target started for it.
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { type Lab, languages, loadLabs, type StepProgress } from '@bulkhead/labs'
import { root, temporaryFolder } from '../target/testing.js'
import { hasCurl, Replay } from './testing.js'

const locales = { en: 'en_GB.UTF-8', 'zh-TW': 'zh_TW.UTF-8' } as const

// Beside each other: every page has a target of its own.
describe('the labs', { concurrency: true }, async () => {
  for (const language of languages) {
    const labs = await loadLabs(root, language)
    for (const lab of labs.filter((one) => one.language === language)) {
      describe(`lab ${lab.id}, ${language}`, () => {
        const folder = temporaryFolder()
        let started = 0
        let replay: Replay

        before(async () => {
          started = performance.now()
          replay = await Replay.start(folder, locales[language])
        })
        after(async () => {
          await replay.stop()
          rmSync(folder, { recursive: true, force: true })
        })

        test('every command prints what the page shows, and does what its step says', async (t) => {
          if (!hasCurl()) t.diagnostic('there is no curl here: a stand-in made the calls')
          // Of each step, before it is begun: what the check said after the one before.
          let before: readonly StepProgress[] | undefined
          for (const step of lab.steps) {
            const of = (progress: readonly StepProgress[]) => progress.find((one) => one.step.heading === step.heading)
            if (step.check !== undefined) {
              const { status } = of(before ?? (await replay.progress(lab))) ?? assert.fail()
              assert.equal(status, 'not-yet', `${step.heading}: before`)
            }
            for (const command of step.commands) await replay.type(command, lab.file)
            if (step.check === undefined) continue
            before = await replay.progress(lab, step.heading)
            const { status, missing } = of(before) ?? assert.fail()
            assert.equal(status, 'done', `${step.heading}: after, ${JSON.stringify(missing)}`)
          }
          assert.ok(before?.every(({ status }) => status === 'done'))
          t.diagnostic(`typed in ${((performance.now() - started) / 1000).toFixed(1)} s`)
        })
      })
    }
  }
})

test('the pages of a lab type the same, show the same and ask for the same, whatever their language', async () => {
  const english = await loadLabs(root, 'en')
  assert.ok(english.length > 0)
  for (const language of languages) {
    const translated = await loadLabs(root, language)
    for (const lab of translated) assert.equal(lab.language, language, `${lab.name} is written in ${language}`)
    assert.deepEqual(translated.map(contentOf), english.map(contentOf), language)
  }
})

/** Without its words and lines. */
const contentOf = ({ id, minutes, needs, start, steps }: Lab) => ({
  id,
  minutes,
  needs,
  start,
  steps: steps.map(({ commands, check }) => ({
    commands: commands.map(({ line, output }) => ({ line, output })),
    check,
  })),
})
