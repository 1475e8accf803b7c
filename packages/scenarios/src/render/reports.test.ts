import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import type { Report } from '../result.js'
import { runScenarios } from '../runner.js'
import { fakeTarget } from '../testing/fake-target.js'
import * as sample from '../testing/samples.js'
import type { Evidence, Scenario, Sighting } from '../types.js'
import { attackPassed, renderAttack } from './attack.js'
import { renderHtml } from './html.js'
import { renderJson } from './json.js'
import { renderJunit } from './junit.js'
import { renderVerify, verifyPassed } from './verify.js'

/* The reports of a run on a cluster, in every form. */

/** Goldens are rewritten with BULKHEAD_UPDATE=1, and the change is reviewed. */
function golden(name: string, text: string): void {
  const file = join(import.meta.dirname, '../../fixtures/cluster', name)
  mkdirSync(dirname(file), { recursive: true })
  if (process.env.BULKHEAD_UPDATE === '1') writeFileSync(file, text)
  assert.equal(text, readFileSync(file, 'utf8'), `${name}; BULKHEAD_UPDATE=1 rewrites it`)
}

const { attack, legitimate, reset } = sample
const refusal: Sighting = {
  by: 'ztunnel',
  at: '2026-11-21T10:00:01.000Z',
  outcome: 'deny',
  source: { workload: 'shop/notsleep', ip: '10.244.1.6' },
  destination: { workload: 'shop/web-api', ip: '10.244.2.9', port: 8080 },
  code: 'authz.no-rule-allows',
  line: 'src.addr=10.244.1.6:4000 error="allow policies exist, but none allowed" <b>&\u0007\u001b[31m',
}
const seen = (...sightings: readonly Sighting[]): Evidence => ({ observation: reset, flows: [], sightings })
const served: Evidence = { observation: sample.served(), flows: [] }

const of = (id: string, from: string, changes: Partial<Scenario> = {}): Scenario => ({
  ...attack,
  id,
  title: `as ${from}`,
  from,
  file: `scenarios/${id}.yaml`,
  ...changes,
})
const scenarios: readonly Scenario[] = [
  attack,
  of('unwitnessed', 'shop/a'),
  of('through', 'shop/b'),
  of('another-wall', 'demo/c'),
  of('lost', 'demo/d'),
  of('no-way', 'outside'),
  of('here-only', 'demo/f', { only: 'local' }),
  legitimate,
]

const target = fakeTarget({
  name: 'kind',
  attempt: async (from) => {
    switch (from) {
      case 'shop/notsleep':
        return { ...seen(refusal), notes: ['tried again: kubectl exec lost its connection'] }
      case 'shop/a':
        return seen()
      case 'demo/c':
        return seen({ ...refusal, code: 'authz.rule-denies', policy: 'AuthorizationPolicy/demo/somebody-elses' })
      case 'demo/d':
        throw new Error('the probe in demo/d ended without saying what it saw')
      case 'outside':
        throw Object.assign(new Error('no key of a pod can be had on a cluster'), { code: 'not-makeable' })
      default:
        return served
    }
  },
})
const ran = await runScenarios(target, scenarios, { root: '/nowhere' })
const report: Report = {
  ...ran,
  durationMs: 1234,
  results: ran.results.map((result) => ({ ...result, durationMs: 5 })),
}

describe('the report of a run on a cluster', () => {
  it('as text, for whoever verifies', () => golden('verify.txt', renderVerify(report)))
  it('as text, for whoever attacks', () => golden('attack.txt', renderAttack(report)))
  it('for programs', () => golden('report.json', renderJson(report)))
  it('for programs leaves out what changes from run to run, when it is to be stable', () => {
    const stable = renderJson(report, { stable: true })
    assert.doesNotMatch(stable, /durationMs|timings|sightings|"notes"/)
    assert.match(stable, /"unwitnessed": true/)
  })
  it('for what shows tests', () => golden('report.xml', renderJunit(report)))
  it('as a page', () => golden('report.html', renderHtml(report)))
  it('with when it was started and of what revision, where that is given, in every form that is kept', () => {
    const commit = '0123456789abcdef0123456789abcdef01234567'
    const made = { startedAt: '2026-11-22T04:00:00.000Z', revision: { commit, changes: true } }
    const { startedAt, revision } = JSON.parse(renderJson(report, { made }))
    assert.deepEqual({ startedAt, revision }, made)
    assert.equal(renderJson(report, { made, stable: true }), renderJson(report, { stable: true }))
    const xml = renderJunit(report, { made })
    assert.match(xml, /<testsuite [^>]*timestamp="2026-11-22T04:00:00\.000Z"/)
    assert.match(xml, new RegExp(`<property name="revision" value="${commit} with changes"/>`))
    const page = renderHtml(report, { made })
    assert.match(page, /<time datetime="2026-11-22T04:00:00\.000Z">/)
    assert.match(page, new RegExp(`of revision <code>${commit} with changes</code>`))
    const clean = { ...made, revision: { commit, changes: false } }
    assert.doesNotMatch(renderJunit(report, { made: clean }) + renderHtml(report, { made: clean }), /with changes/)
    const elsewhere = { made: { startedAt: made.startedAt } }
    assert.doesNotMatch(renderJunit(report, elsewhere) + renderHtml(report, elsewhere), /revision/)
  })
  it('obeys nobody on a terminal, whatever a pod, a log or the API server said, nor does it lose lines of it', () => {
    const hostile = 'the last words\u001b]0;owned\u0007\u009b2J\u202e\r\nseen: ztunnel says so'
    const said: Report = {
      ...report,
      results: report.results.map((result) => ({
        ...result,
        ...(result.because !== undefined && { because: hostile }),
        ...(result.differences.length > 0 && { differences: [hostile] }),
        ...{ causes: [hostile], notes: [hostile] },
      })),
    }
    for (const render of [renderVerify, renderAttack]) {
      const text = render(said)
      assert.doesNotMatch(text, /(?![\n])[\p{Cc}\p{Bidi_Control}]/u)
      assert.match(text, /the last words\\u001b\]0;owned\\u0007\\u009b2J\\u202e\\u000d\n +seen: ztunnel says so/)
    }
  })
  it('fails', () => assert.deepEqual([verifyPassed(report), attackPassed(report)], [false, false]))

  it('passes without its failures, and is not green while something is not known', () => {
    const rest = {
      ...report,
      results: report.results.filter(({ status }) => status !== 'different' && status !== 'not-observed'),
    }
    assert.deepEqual([verifyPassed(rest), attackPassed(rest)], [true, true])
    const green = `${String.fromCharCode(27)}[32m`
    for (const render of [renderVerify, renderAttack]) {
      const last = render(rest, { color: true }).trimEnd().split('\n').at(-1) ?? ''
      assert.match(last, /1 not made/)
      assert.ok(!last.includes(green))
    }
  })

  it('with nothing but what cannot be made has proved nothing', () => {
    const none = { ...report, results: report.results.filter(({ status }) => status === 'not-made') }
    assert.deepEqual([verifyPassed(none), attackPassed(none)], [false, false])
  })
})

/** The same, of which somebody chose a title. */
const odd: Report = {
  ...report,
  results: report.results.map((result) =>
    result.scenario.id === 'through'
      ? { ...result, scenario: { ...result.scenario, title: 'an <intruder> & "his" \u202efriend\ud800' } }
      : result,
  ),
}

/** The elements of XML, each closed where it has to be; throws at what is not well-formed. */
function elementsOf(xml: string): readonly string[] {
  const [, body = ''] = xml.split('?>\n')
  const found: string[] = []
  const open: string[] = []
  const tag = /<(\/?)([a-z-]+)((?: [a-z]+="[^"<]*")*)(\/?)>|([^<]+)/y
  while (tag.lastIndex < body.length) {
    const at = tag.lastIndex
    const [, end, name = '', , closed, text] =
      tag.exec(body) ?? assert.fail(`not well-formed at ${body.slice(at, at + 60)}`)
    if (text !== undefined) assert.doesNotMatch(text, /&(?!(?:amp|lt|gt|quot|#\d+);)/)
    else if (end === '/') assert.equal(open.pop(), name)
    else {
      found.push(name)
      if (closed !== '/') open.push(name)
    }
  }
  assert.deepEqual(open, [])
  return found
}

describe('the report as JUnit XML', () => {
  const xml = renderJunit(odd)
  it('is well-formed, with a test case for each scenario', () => {
    const elements = elementsOf(xml)
    const number = (name: string): number => elements.filter((element) => element === name).length
    assert.equal(number('testcase'), scenarios.length)
    assert.deepEqual([number('failure'), number('error'), number('skipped')], [2, 1, 2])
    assert.match(xml, /<testsuite name="bulkhead" tests="8" failures="2" errors="1" skipped="2" time="1\.234">/)
  })
  it('has no character that XML has not', () => {
    assert.doesNotMatch(xml, /(?![\n])\p{Cc}|\p{Surrogate}|[\ufffe\uffff]/u)
  })
  it('has the whole of a failure', () => {
    const failure = /<testcase name="another-wall[\s\S]*?<\/testcase>/.exec(xml)?.[0] ?? ''
    for (const text of ['expected: ', 'predicted: ', 'observed: ', 'somebody-elses', 'look: ']) {
      assert.ok(failure.includes(text), text)
    }
  })
})

describe('the report as a page', () => {
  const html = renderHtml(odd)
  it('asks nobody for anything', () => {
    assert.doesNotMatch(html, /\b(?:src|href|action)=|url\(|@import|fetch\(|XMLHttpRequest|https?:/)
    assert.match(html, /default-src 'none'/)
  })
  it('shows what others chose as text', () => {
    assert.ok(html.includes('an &lt;intruder&gt; &amp; &quot;his&quot; \\u202efriend\ufffd'))
    assert.equal(html.match(/<script>/g)?.length, 1)
  })
  it('has a row for each scenario, by its status', () => {
    const rows = [...html.matchAll(/<tr id="([^"]+)" data-status="([^"]+)"/g)].map(([, id, status]) => [id, status])
    const all = report.results.map(({ scenario, status }) => [scenario.id, status])
    assert.deepEqual([...rows].sort(), [...all].sort())
    assert.deepEqual(
      rows.slice(0, 3).map(([id]) => id),
      ['through', 'another-wall', 'lost'],
      'what failed comes first',
    )
  })
})
