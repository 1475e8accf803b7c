import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { type Language, languages, loadLabs, type StepProgress } from '@bulkhead/labs'
import { temporaryFolder } from '@bulkhead/testing'
import { hasCurl } from '../../pages/curl.js'
import { root } from '../../target/testing.js'
import { Replay } from '../testing.js'

const locales = { en: 'en_GB.UTF-8', 'zh-TW': 'zh_TW.UTF-8' } as const

/**
 * What a lab's page shows is what somebody sees who types it: every command of the page, on a target started for it. A
 * lab's pages differ in their words alone, which pages.test.ts holds: one of them is typed, and the others too where
 * there is time (BULKHEAD_LONG).
 */
export async function replayLab(id: string, t: TestContext): Promise<void> {
  if (!hasCurl()) t.diagnostic('there is no curl here: a stand-in made the calls')
  const typed = process.env.BULKHEAD_LONG === '1' ? languages : [languages[Number(id) % languages.length] ?? 'en']
  for (const language of typed) {
    const started = performance.now()
    await typePage(t, id, language)
    t.diagnostic(`in ${language}: typed in ${((performance.now() - started) / 1000).toFixed(1)} s`)
  }
}

async function typePage(t: TestContext, id: string, language: Language): Promise<void> {
  const lab = (await loadLabs(root, language)).find((one) => one.id === id && one.language === language)
  if (lab === undefined) assert.fail(`lab ${id} has no page in ${language}`)
  const folder = temporaryFolder(t)
  const replay = await Replay.start(folder, locales[language])
  try {
    // Of each step, before it is begun: what the check said after the one before.
    let told: readonly StepProgress[] | undefined
    for (const step of lab.steps) {
      const of = (progress: readonly StepProgress[]) => progress.find((one) => one.step.heading === step.heading)
      if (step.check !== undefined) {
        const { status }: StepProgress = of(told ?? (await replay.progress(lab))) ?? assert.fail()
        assert.equal(status, 'not-yet', `${step.heading}: before`)
      }
      for (const command of step.commands) await replay.type(command, lab.file)
      if (step.check === undefined) continue
      told = await replay.progress(lab, step.heading)
      const { status, missing } = of(told) ?? assert.fail()
      assert.equal(status, 'done', `${step.heading}: after, ${JSON.stringify(missing)}`)
    }
    assert.ok(told?.every(({ status }) => status === 'done'))
  } finally {
    await replay.stop()
  }
}
