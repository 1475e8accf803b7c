import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { temporaryFolder } from '@bulkhead/testing'
import { loadScenarios, readScenario, ScenarioError } from './load.js'

const good = `id: a
title: t
story: s
kind: attack
technique: { attack: T1210, microsoft: MS-TA9034 }
from: shop/notsleep
attempt:
  kind: http
  to: { service: shop/web-api }
  port: 8080
expect:
  walls:
    - layer: 40-mtls
      symptom: reset
      code: mtls.strict-no-identity
    - layer: 50-identity
      symptom: reset
      code: authz.no-rule-allows
  through: { status: 200 }
notice: a record
control:
  from: shop/sleep
  attempt: { kind: http, to: { service: shop/web-api }, port: 8080 }
`
const layers = ['40-mtls', '50-identity']

const read = (text: string): Promise<unknown> => readScenario(text, 'scenarios/a.yaml', '/nowhere', { layers })

/** The good scenario with one thing changed. Fails when there is nothing to change. */
function edit(from: string | RegExp, to: string): string {
  const text = good.replace(from, to)
  assert.notEqual(text, good)
  return text
}

describe('a scenario file', () => {
  it('is read with everything in it, and the file it came from', async () => {
    const scenario = await readScenario(good, 'scenarios/a.yaml', '/nowhere', { layers })
    assert.equal(scenario.file, 'scenarios/a.yaml')
    assert.deepEqual(scenario.attempt.to, { service: 'shop/web-api' })
    assert.deepEqual(
      scenario.expect.walls.map(({ layer }) => layer),
      layers,
    )
  })

  const legitimate = edit('kind: attack', 'kind: legitimate').replace(/control:[\s\S]*/, '')
  const bad: readonly (readonly [name: string, text: string, says: string])[] = [
    [
      'YAML that is none',
      'id: [',
      'scenarios/a.yaml:1:6: not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]',
    ],
    [
      'aliases without end',
      `a: &a [x, x, x, x, x, x, x, x, x, x]\n${'bcdefgh'.replaceAll(
        /./g,
        (key) =>
          `${key}: &${key} [${Array(10)
            .fill(`*${String.fromCharCode(key.charCodeAt(0) - 1)}`)
            .join(', ')}]\n`,
      )}`,
      'scenarios/a.yaml:1:17: more than 500000 values',
    ],
    ['an empty file', '', 'scenarios/a.yaml:1:1: the file is empty'],
    ['brackets without end', '['.repeat(50_000), 'scenarios/a.yaml:1:401: nested deeper than 100 levels'],
    ['two documents', `${good}---\n${good}`, 'scenarios/a.yaml:25:1: a file holds one scenario'],
    [
      'control characters',
      edit('title: t', 'title: "\\e[31mred"'),
      'scenarios/a.yaml:2:1: "title": must be one line of text',
    ],
    [
      'a field that its kind of attempt does not look at',
      edit('port: 8080\nexpect', 'port: 8080\n  send: x\nexpect'),
      'scenarios/a.yaml:11:3: "send" is for attempts of kind "tcp", "tls", "hbone", "socket", "udp"; this one is "http"',
    ],
    [
      'a login that is none',
      edit('port: 8080\nexpect', 'port: 8080\n  postgres: { passwordFrom: { secret: demo/s, key: k } }\nexpect'),
      'scenarios/a.yaml:11:3: "postgres" is for attempts of kind "postgres"; this one is "http"',
    ],
    [
      'a password in a scenario',
      edit(
        'port: 8080\nexpect',
        'port: 8080\n  postgres: { password: x, passwordFrom: { secret: demo/s, key: k } }\nexpect',
      ),
      'scenarios/a.yaml:11:15: unknown field "password"',
    ],
    [
      'a handshake that would verify',
      edit('kind: http\n', 'kind: tls\n').replace(
        'port: 8080\nexpect',
        'port: 8080\n  tls: { insecure: true }\nexpect',
      ),
      'scenarios/a.yaml:11:10: "tls" verifies no certificate anyway',
    ],
    [
      'a control that holds on',
      edit('port: 8080 }\n', 'port: 8080, hold: true }\n'),
      'scenarios/a.yaml:23:69: a control only has to be served',
    ],
    ['a missing field', edit('notice: a record\n', ''), 'scenarios/a.yaml:1:1: "notice" is missing, and must be set'],
    ['an unknown field', edit('notice:', 'notise: a\nnotice:'), 'scenarios/a.yaml:20:1: unknown field "notise"'],
    [
      'an unknown field deep inside',
      edit('port: 8080\nexpect', 'port: 8080\n  methd: GET\nexpect'),
      'scenarios/a.yaml:11:3: unknown field "methd"',
    ],
    [
      'a word that is no text',
      edit('title: t', 'title: on'),
      'scenarios/a.yaml:2:1: "title": must be a string, and is true; put it in quotes',
    ],
    [
      'a manifest from elsewhere',
      edit('attempt:', 'given: { manifests: [../x.yaml] }\nattempt:'),
      'scenarios/a.yaml:7:22: "../x.yaml" lies outside',
    ],
    ['a key twice', edit('title: t', 'title: t\ntitle: u'), 'scenarios/a.yaml:3:1: the field "title" is written twice'],
    [
      'a wrong kind',
      edit('kind: http\n', 'kind: htp\n'),
      'scenarios/a.yaml:8:3: "attempt.kind": must be one of http, tcp, tls, hbone, postgres, mongo, udp, dns, socket, run; did you mean "http"?',
    ],
    [
      'a destination of no form',
      edit('{ service: shop/web-api }\n', '{ servce: shop/web-api }\n'),
      'scenarios/a.yaml:9:3: "attempt.to": must be one of {service',
    ],
    [
      'a port that is none',
      edit('port: 8080\nexpect', 'port: 80800\nexpect'),
      'scenarios/a.yaml:10:3: "attempt.port": Too big',
    ],
    [
      'a symptom that nobody can see',
      edit('symptom: reset', 'symptom: sad'),
      'scenarios/a.yaml:14:7: "expect.walls.0.symptom": must be one of ok, ',
    ],
    [
      'a code that no step gives',
      edit('authz.no-rule-allows', 'authz.nope'),
      'scenarios/a.yaml:18:7: "expect.walls.1.code": must be one of mtls.no-policy, ',
    ],
    [
      'a technique that is no id',
      edit('T1210', 'lateral'),
      'scenarios/a.yaml:5:14: "technique.attack": must be a MITRE ATT&CK id',
    ],
    ['a file of another name', edit('id: a', 'id: b'), 'scenarios/a.yaml:1:1: the file is named "a", the scenario "b"'],
    [
      'walls out of order',
      edit(/( {4}- layer: 40[\s\S]*?)( {4}- layer: 50[\s\S]*?)( {2}through)/, '$2$1$3'),
      'scenarios/a.yaml:16:7: "40-mtls" stands before "50-identity"',
    ],
    [
      'a layer that is not there',
      edit('50-identity', '55-idendity'),
      'scenarios/a.yaml:16:7: there is no layer "55-idendity"; there are 40-mtls, 50-identity, mesh, network',
    ],
    ['an attack without a control', edit(/control:[\s\S]*/, ''), 'scenarios/a.yaml:1:1: an attack needs a "control"'],
    [
      'an attack without a wall',
      edit(/walls:[\s\S]*? {2}through/, 'walls: []\n  through'),
      'scenarios/a.yaml:12:3: an attack needs at least one wall',
    ],
    ['a legitimate flow with a wall', legitimate, 'scenarios/a.yaml:12:3: no wall may stop a legitimate flow'],
    [
      'a certificate on plain HTTP',
      edit('port: 8080\nexpect', 'port: 8080\n  certificate: none\nexpect'),
      'scenarios/a.yaml:11:3: "certificate" is for attempts of kind "hbone"',
    ],
    [
      'a forged certificate of nobody',
      edit('kind: http\n', 'kind: hbone\n  certificate: stolen\n'),
      'scenarios/a.yaml:9:3: a forged certificate names somebody',
    ],
    [
      '"never" without a wall that is always on',
      edit('{ status: 200 }', 'never'),
      'scenarios/a.yaml:19:3: "never" needs a wall that is always on',
    ],
    [
      'something that arrives through a wall that is always on',
      edit('layer: 50-identity', 'layer: network'),
      'scenarios/a.yaml:19:3: one of the walls is always on',
    ],
    [
      'a hold without a change',
      edit('port: 8080\nexpect', 'port: 8080\n  hold: true\nexpect'),
      'scenarios/a.yaml:11:3: a held connection waits for a "change"',
    ],
    [
      'a change without a hold',
      edit('expect:', 'change: { without: [A/b/c] }\nexpect:'),
      'scenarios/a.yaml:11:1: "change" happens while',
    ],
    [
      'a manifest that is not there',
      edit('attempt:', 'given: { manifests: [k8s/x.yaml] }\nattempt:'),
      'scenarios/a.yaml:7:22: there is no file "k8s/x.yaml"',
    ],
    [
      'a caller that is none',
      edit('from: shop/notsleep', 'from: outsde'),
      'scenarios/a.yaml:6:1: "from": must be "namespace/workload", "node name"',
    ],
    [
      'a request from outside that asks for no host',
      edit('from: shop/notsleep', 'from: outside'),
      'scenarios/a.yaml:7:1: from outside a request says whom it asks for',
    ],
    [
      'a control from outside that asks for no host',
      edit('from: shop/sleep', 'from: outside'),
      'scenarios/a.yaml:23:3: from outside a request says whom it asks for',
    ],
    [
      'a caller from outside that dials a pod',
      edit('from: shop/notsleep', 'from: outside').replace(
        '{ service: shop/web-api }\n',
        '{ workload: shop/web-api }\n',
      ),
      'scenarios/a.yaml:9:3: the outside knows no pods',
    ],
    [
      'a kind of attempt that does not come in',
      edit('from: shop/notsleep', 'from: outside').replace('kind: http\n', 'kind: hbone\n'),
      'scenarios/a.yaml:8:3: from outside only "http", "tcp", "tls", "postgres", "mongo" come in; this one is "hbone"',
    ],
    [
      'a need for a layer that is not there',
      edit('from:', 'needs: [40-mtls, 70-ingres]\nfrom:'),
      'scenarios/a.yaml:6:18: there is no layer "70-ingres"; there are 40-mtls, 50-identity',
    ],
    [
      'a need for what is always there',
      edit('from:', 'needs: [mesh]\nfrom:'),
      'scenarios/a.yaml:6:9: "mesh" is no layer: it is always on',
    ],
    ['needs that are none', edit('from:', 'needs: []\nfrom:'), 'scenarios/a.yaml:6:1: "needs": Too small'],
    [
      'something that arrives through a wall that it needs',
      edit('from:', 'needs: [50-identity]\nfrom:'),
      'scenarios/a.yaml:20:3: one of the walls is always on',
    ],
    [
      'a program that is to run in somebody else’s pod',
      edit('kind: http\n', 'kind: run\n'),
      'scenarios/a.yaml:9:3: "run" is a program in the caller\'s own pod: to: { workload: shop/notsleep }',
    ],
    [
      'a wall that refuses what it is never asked about',
      edit('symptom: reset\n      code: mtls', 'symptom: admission-refused\n      code: mtls'),
      'scenarios/a.yaml:14:7: "40-mtls" lets everything be created: "admission-refused" is what 10-admission and pod-security answer',
    ],
    [
      'a refusal that the caller is to see on a connection',
      edit('layer: 40-mtls', 'layer: pod-security'),
      'scenarios/a.yaml:14:7: "pod-security" refuses what is to be created: "admission-refused" is what',
    ],
    [
      'a refusal where nothing is created',
      edit('layer: 40-mtls\n      symptom: reset', 'layer: pod-security\n      symptom: admission-refused'),
      'scenarios/a.yaml:13:7: admission is only asked about what is created: name it in "given"',
    ],
    [
      'an answer of an API server that is not asked',
      edit('symptom: reset\n      code: mtls', 'symptom: reset\n      message: forbidden\n      code: mtls'),
      'scenarios/a.yaml:15:7: only an API server that refuses answers with a message',
    ],
    [
      'a request again on a connection that is not held',
      edit('port: 8080\nexpect', 'port: 8080\n  again: true\nexpect'),
      'scenarios/a.yaml:11:3: "again" asks on a connection that is held open',
    ],
    [
      'a header whose name is in capitals',
      edit('{ status: 200 }', '{ headers: { Location: x } }'),
      'scenarios/a.yaml:19:25: "expect.through.headers.Location": names of headers are written in lower case',
    ],
    [
      'a JSON path that is none',
      edit('{ status: 200 }', '{ json: { "a..b": 1 } }'),
      'scenarios/a.yaml:19:22: "expect.through.json.a..b": must be a path',
    ],
  ]
  for (const [name, text, says] of bad) {
    it(`says where it has ${name}`, async () => {
      await assert.rejects(read(text), (error: unknown) => {
        assert.ok(error instanceof ScenarioError)
        assert.ok(error.message.startsWith(says), `${error.message}\n does not start with\n${says}`)
        return true
      })
    })
  }
})

describe('a folder of scenarios', () => {
  async function folder(t: TestContext, files: Readonly<Record<string, string>>): Promise<string> {
    const root = temporaryFolder(t)
    const path = join(root, 'scenarios')
    await mkdir(path)
    for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text)
    return path
  }

  it('is read in the order of the ids; other files are left alone', async (t) => {
    const path = await folder(t, { 'b.yaml': good.replace('id: a', 'id: b'), 'a.yaml': good, 'README.md': '#' })
    const scenarios = await loadScenarios(path, { layers })
    assert.deepEqual(
      scenarios.map(({ file }) => file),
      ['scenarios/a.yaml', 'scenarios/b.yaml'],
    )
  })

  it('is read as far as it is asked for: no other file is opened, and what is not there is left out', async (t) => {
    const path = await folder(t, {
      'a.yaml': good,
      'b.yml': good.replace('id: a', 'id: b'),
      'broken.yaml': 'id: [',
    })
    const found = async (...ids: readonly string[]) => (await loadScenarios(path, { ids })).map(({ file }) => file)
    assert.deepEqual(await found('b', 'nowhere', 'a', 'b', '../scenarios/a'), ['scenarios/a.yaml', 'scenarios/b.yml'])
    assert.deepEqual(await found(), [])
    await assert.rejects(found('broken'), ScenarioError)
    await writeFile(join(path, 'a.yml'), good)
    await assert.rejects(found('a'), /the id "a" is taken by scenarios\/a\.yaml/)
  })

  it('tells everything that is wrong in all of them', async (t) => {
    const path = await folder(t, { 'a.yaml': 'id: [', 'b.yaml': good })
    await assert.rejects(loadScenarios(path), /scenarios\/a\.yaml:.*\nscenarios\/b\.yaml:1:1: the file is named "b"/)
  })

  it('refuses one id in two files', async (t) => {
    const path = await folder(t, { 'a.yaml': good, 'a.yml': good })
    await assert.rejects(loadScenarios(path), /scenarios\/a\.yml:1:1: .*"a" is taken by scenarios\/a\.yaml/)
  })

  it('says which file cannot be read', async (t) => {
    const path = await folder(t, { 'b.yaml': good.replace('id: a', 'id: b') })
    await mkdir(join(path, 'a.yaml'))
    await assert.rejects(loadScenarios(path), /^ScenarioError: scenarios\/a\.yaml:1:1: cannot be read/)
  })

  it('must be there', async () => {
    await assert.rejects(loadScenarios('/nowhere/scenarios'), ScenarioError)
  })
})
