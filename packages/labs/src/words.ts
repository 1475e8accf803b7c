import type { Observation } from '@bulkhead/scenarios'
import { type Symptom, sentence, symptoms, type Verdict } from '@bulkhead/verdict'
import type { Missing, StepProgress } from './progress.js'
import type { Call, Lab, LabStep, Language } from './types.js'

/** All that a lab says beside its page. One object per language; the compiler asks for each sentence in each. */
interface Words {
  minutes(count: number): string
  underWay(lab: Lab): string
  startOne: string
  started(lab: Lab): string
  down(layers: readonly string[]): string
  out(ids: readonly string[]): string
  readIt(file: string): string
  howFar(id: string): string
  putBack(id: string): string
  /** Each as wide as the others, in columns of a terminal. */
  status: Readonly<Record<StepProgress['status'], string>>
  missing(missing: Missing): string
  typeNext(line: string): string
  sum(done: number, of: number): string
  finished(id: string): string
  hint(step: LabStep): string
  back(off: readonly string[]): string
  nothingToReset: string
  notStarted(id: string): string
  another(under: string, asked: string): string
  restarted(id: string): string
  needs(program: string): string
}

const list = (items: readonly string[]): string => items.join(', ')

/** `AuthorizationPolicy/shop/x at k8s/...:3` of what decides a verdict, in the engine's own words. */
function decision(verdict: Verdict): string | undefined {
  const step = verdict.decidedBy === undefined ? undefined : verdict.steps[verdict.decidedBy.step]
  if (step === undefined) return undefined
  const where = step.policy ?? step.isolatedBy?.map(({ policy }) => policy).join(', ')
  return `${sentence(step)}${where === undefined ? '' : ` (${where})`}`
}

const arrow = (call: Call): string => `${call.from} → ${call.to}`
const shown = ({ symptom, http }: Observation): string =>
  `${symptoms[symptom].says}${http === undefined ? '' : ` (HTTP ${http.status})`}`
const wanted = ({ sees, status }: Call): string =>
  `${symptoms[sees].says}${status === undefined ? '' : ` (HTTP ${status})`}`
const brief = ({ sees, status }: Call): string => `${seenAs(sees)}${status === undefined ? '' : `（HTTP ${status}）`}`

/** What the labs' calls come to. The others have no words of their own: their names are those of docs/reasons.md. */
const symptomsInChinese: Partial<Record<Symptom, string>> = {
  ok: '應用程式的回應',
  reset: '連線打開了，但一個 byte 都沒收到就被關掉',
  'rbac-403': '403 RBAC: access denied',
  'gateway-503': '503，gateway 連不到後面的服務',
  timeout: '什麼都沒有，連線逾時',
}
const seenAs = (symptom: Symptom): string => symptomsInChinese[symptom] ?? symptom

const en: Words = {
  minutes: (count) => `${count} min`,
  underWay: ({ id }) => `started; \`npx bulkhead lab check ${id}\` says how far you are`,
  startOne: 'Start one: npx bulkhead lab start 01',
  started: ({ title }) => `Started: ${title}`,
  down: (layers) => `  down for now   ${list(layers)}`,
  out: (ids) => `  taken out      ${list(ids)}`,
  readIt: (file) => `Go on in ${file}.`,
  howFar: (id) => `How far are you?     npx bulkhead lab check ${id}`,
  putBack: (id) => `Put everything back: npx bulkhead lab reset ${id}`,
  status: { done: 'done   ', passed: 'passed ', 'not-yet': 'not yet' },
  missing(missing) {
    switch (missing.kind) {
      case 'not-in-force':
        return `${missing.id} is not in force.`
      case 'never-tried':
        return `still to be tried: ${arrow(missing.call)}; it should come to ${wanted(missing.call)}.`
      case 'never-refused': {
        const { id, policy } = missing.refusal
        return `still to be tried: to put ${id} in force; ${policy} should refuse it.`
      }
      case 'judged': {
        const why = decision(missing.verdict)
        return `${arrow(missing.call)} should come to ${wanted(missing.call)}; by what is in force it comes to ${symptoms[missing.verdict.symptom].says}${why === undefined ? '' : `: ${why}`}.`
      }
      case 'seen':
        return `${arrow(missing.call)} should come to ${wanted(missing.call)}; tried just now, it came to ${shown(missing.observation)}.`
    }
  },
  typeNext: (line) => `type: ${line}`,
  sum: (done, of) => `${done} of ${of} steps are done.`,
  finished: (id) => `You closed it, you opened it, and you know why. Clean up: npx bulkhead lab reset ${id}`,
  hint: ({ heading }) => `Next: ${heading}`,
  back: (off) =>
    off.length === 0
      ? 'All is as it was before: every layer is on.'
      : `All is as it was before: ${list(off)} off, all other layers on.`,
  nothingToReset: 'no lab is under way; there is nothing to put back.',
  notStarted: (id) => `lab ${id} is not started; \`npx bulkhead lab start ${id}\` starts it.`,
  another: (under, asked) => `lab ${under} is under way, not ${asked}; \`npx bulkhead lab reset ${under}\` ends it.`,
  restarted: (id) =>
    `the target was started anew since the lab was, and what you had applied went with the old one. \`npx bulkhead lab start ${id}\` begins again, \`npx bulkhead lab reset ${id}\` ends the lab.`,
  needs: (program) => `this lab types \`${program}\`, and it is not found on this machine; install it first.`,
}

const zhTW: Words = {
  minutes: (count) => `${count} 分鐘`,
  underWay: ({ id }) => `進行中；用 \`npx bulkhead lab check ${id}\` 看做到哪裡`,
  startOne: '開始一個 lab：npx bulkhead lab start 01',
  started: ({ title }) => `開始了：${title}`,
  down: (layers) => `  先關掉的 layer   ${list(layers)}`,
  out: (ids) => `  先拿掉的物件     ${list(ids)}`,
  readIt: (file) => `接下來請照著 ${file} 做。`,
  howFar: (id) => `看做到哪裡：npx bulkhead lab check ${id}`,
  putBack: (id) => `全部還原：  npx bulkhead lab reset ${id}`,
  status: { done: '完成  ', passed: '已過  ', 'not-yet': '未完成' },
  missing(missing) {
    switch (missing.kind) {
      case 'not-in-force':
        return `${missing.id} 還沒有生效。`
      case 'never-tried':
        return `還沒試過：${arrow(missing.call)}，應該會看到：${brief(missing.call)}。`
      case 'never-refused': {
        const { id, policy } = missing.refusal
        return `還沒試過：把 ${id} 放進去，應該會被 ${policy} 拒絕。`
      }
      case 'judged': {
        const why = decision(missing.verdict)
        return `${arrow(missing.call)} 應該是 ${brief(missing.call)}；照目前生效的 policy 卻是 ${seenAs(missing.verdict.symptom)}${why === undefined ? '' : `：${why}`}。`
      }
      case 'seen': {
        const { symptom, http } = missing.observation
        return `${arrow(missing.call)} 應該是 ${brief(missing.call)}；剛才實際試了一次，結果是 ${seenAs(symptom)}${http === undefined ? '' : `（HTTP ${http.status}）`}。`
      }
    }
  },
  typeNext: (line) => `請輸入：${line}`,
  sum: (done, of) => `${of} 個步驟完成了 ${done} 個。`,
  finished: (id) => `門是你關的、也是你開的，而且你知道為什麼。清理：npx bulkhead lab reset ${id}`,
  hint: ({ heading }) => `下一步：${heading}`,
  back: (off) =>
    off.length === 0 ? '都還原了：所有 layer 都開著。' : `都還原了：${list(off)} 關著，其他 layer 都開著。`,
  nothingToReset: '目前沒有進行中的 lab，沒有東西要還原。',
  notStarted: (id) => `lab ${id} 還沒開始；用 \`npx bulkhead lab start ${id}\` 開始。`,
  another: (under, asked) =>
    `現在進行中的是 lab ${under}，不是 ${asked}；先用 \`npx bulkhead lab reset ${under}\` 結束它。`,
  restarted: (id) =>
    `target 在 lab 開始之後重新啟動過，你之前 apply 的東西已經隨舊的 target 消失。用 \`npx bulkhead lab start ${id}\` 重新開始，或用 \`npx bulkhead lab reset ${id}\` 結束這個 lab。`,
  needs: (program) => `這個 lab 會用到 \`${program}\`，但這台機器上找不到；請先安裝。`,
}

export const words: Readonly<Record<Language, Words>> = { en, 'zh-TW': zhTW }
