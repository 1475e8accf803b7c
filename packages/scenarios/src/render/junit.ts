import { outside } from '../flow.js'
import { type Made, type Report, revisionText, type ScenarioResult } from '../result.js'
import { type SilentWitness, silentWitnesses } from '../silent.js'
import { escaped } from './markup.js'
import { failed, resultLines, viewTexts } from './told.js'
import { layersText } from './words.js'

/**
 * The report as JUnit XML, for what shows tests: a test case for each scenario, grouped by the caller's namespace. What was
 * skipped, or cannot be made on this target, is skipped there too. A kind of witness that was silent all along is one that failed.
 */
export function renderJunit(report: Report, { made }: { readonly made?: Made } = {}): string {
  const { results } = report
  const silent = silentWitnesses(report)
  const of = (status: (result: ScenarioResult) => boolean): number => results.filter(status).length
  const numbers = attributes({
    name: 'bulkhead',
    tests: results.length + silent.length,
    failures: of(({ status }) => status === 'different') + silent.length,
    errors: of(({ status }) => status === 'not-observed'),
    skipped: of(({ status }) => status === 'skipped' || status === 'not-made'),
    time: secondsOf(report.durationMs),
    ...(made && { timestamp: made.startedAt }),
  })
  const properties = [
    property('target', report.target),
    ...(made?.revision ? [property('revision', revisionText(made.revision))] : []),
    property('layers', layersText(report.layers)),
    property('unwitnessed', String(of(({ unwitnessed }) => unwitnessed === true))),
  ]
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${numbers}>`,
    `  <testsuite ${numbers}>`,
    `    <properties>\n${properties.join('\n')}\n    </properties>`,
    ...results.map(testCase),
    ...silent.map(silentCase),
    '  </testsuite>',
    '</testsuites>\n',
  ].join('\n')
}

function testCase(result: ScenarioResult): string {
  const { scenario, status, because = '', durationMs } = result
  const { id, title, from, file } = scenario
  const namespace = from === outside ? outside : (from.split('/')[0] ?? from)
  const head = `    <testcase ${attributes({ name: `${id}: ${title}`, classname: `${namespace}.${id}`, file, time: secondsOf(durationMs) })}>`
  const views = viewTexts(result)
  const text = [...views, ...resultLines(result)].join('\n')
  const parts = [
    ...(status === 'different'
      ? [element('failure', { message: result.differences[0] ?? 'different', type: status }, text)]
      : []),
    ...(status === 'not-observed' ? [element('error', { message: because, type: status }, text)] : []),
    ...(status === 'skipped' || status === 'not-made' ? [`      <skipped ${attributes({ message: because })}/>`] : []),
    ...(failed(result) || status === 'skipped' || status === 'not-made' ? [] : [element('system-out', {}, text)]),
  ]
  return [head, ...parts, '    </testcase>'].join('\n')
}

function silentCase({ by, says, look }: SilentWitness): string {
  const head = attributes({ name: `witness: ${by.join(', ')}`, classname: 'witness' })
  return `    <testcase ${head}>\n${element('failure', { message: says, type: 'silent' }, `look: ${look}`)}\n    </testcase>`
}

const property = (name: string, value: string): string => `      <property ${attributes({ name, value })}/>`

function element(name: string, given: Readonly<Record<string, string>>, text: string): string {
  const head = Object.keys(given).length === 0 ? name : `${name} ${attributes(given)}`
  return `      <${head}>${escaped(text)}</${name}>`
}

function attributes(given: Readonly<Record<string, string | number>>): string {
  return Object.entries(given)
    .map(([name, value]) => `${name}="${escaped(String(value)).replaceAll('\n', '&#10;')}"`)
    .join(' ')
}

const secondsOf = (milliseconds: number): string => (milliseconds / 1000).toFixed(3)
