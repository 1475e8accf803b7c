import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, it } from 'node:test'
import { parseManifests } from '@bulkhead/resources'
import { parseYaml } from '@bulkhead/resources/yaml'
import { definitions, isDefined, refusals, refusedIn, sources } from './testing/definitions.js'

/*
 * Every file of k8s/ against the schemas of its kinds: Kubernetes' own in packages/resources, and for the others what an
 * API server has, the CustomResourceDefinitions themselves.
 */

const root = resolve(import.meta.dirname, '../../..')

interface Written {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string }
}

/**
 * Files that hold objects for an API server: neither kustomize's own, nor values of charts, nor the list of versions. What the stacks
 * lay over the others is part of objects; kustomize.test.ts looks at what comes of it.
 */
const files = readdirSync(join(root, 'k8s'), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.yaml') && entry.name !== 'kustomization.yaml')
  .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
  .filter((file) => !/^k8s\/(platform\/helm|stacks)\//.test(file) && file !== 'k8s/platform/versions.yaml')
  .sort()

const textOf = (file: string): string => readFileSync(join(root, file), 'utf8')

/** What is written, with nothing read into it. */
function documentsOf(file: string): readonly Written[] {
  const { documents, problems } = parseYaml(textOf(file))
  assert.deepEqual(problems, [])
  return documents.flatMap(({ value }) => (value === null ? [] : [value as Written]))
}

const written = files.flatMap((file) => documentsOf(file).map((object) => ({ file, object })))

describe('every file of k8s/', () => {
  it('is there to be looked at, bad examples and attacks among them', () => {
    assert.ok(files.length > 200)
    for (const part of ['attacks/', 'layers/', 'workloads/', 'platform/argocd/', '/bad.yaml', '/good.yaml'])
      assert.ok(
        files.some((file) => file.includes(part)),
        part,
      )
  })

  for (const file of files)
    it(`${file} is what the schemas of its kinds take`, () => {
      assert.deepEqual(parseManifests(textOf(file), file).diagnostics, [])
      assert.deepEqual(refusedIn(textOf(file)), [])
    })

  it('says a namespace only where its kind has one', () => {
    for (const { file, object } of written) {
      const definition = definitions.get(`${object.apiVersion} ${object.kind}`)
      if (definition?.scope === 'Cluster') assert.equal(object.metadata.namespace, undefined, file)
    }
  })
})

describe('the definitions', () => {
  it('say the same as the pinned versions', () => {
    const pins = parseYaml(textOf('k8s/platform/versions.yaml')).documents[0]?.value as Record<string, unknown>
    for (const [name, { is }] of Object.entries(sources)) {
      const pin = pins[name]
      const version = typeof pin === 'object' ? (pin as { version: string }).version : pin
      assert.equal(is, version, `${name}: make them anew, docs/decisions/0059-manifests-held-against-definitions.md`)
    }
  })

  it('are those of the kinds in sources.json, and each is of a kind that k8s/ has', () => {
    const named = Object.values(sources).flatMap(({ kinds }) => Object.entries(kinds))
    const found = [...definitions.values()].map(({ group, kind, version }) => [`${group}/${kind}`, version])
    assert.deepEqual(found.toSorted(), named.toSorted())
    for (const name of definitions.keys())
      assert.ok(
        written.some(({ object }) => `${object.apiVersion} ${object.kind}` === name),
        name,
      )
  })
})

/** Of an object of that kind in k8s/: what is put at a place (taken out, where it is undefined), and what is then said. */
const broken: readonly [kind: string, place: string, value: unknown, said: RegExp][] = [
  ['AuthorizationPolicy', 'spec/rule', [], /^\/spec unknown field "rule"/],
  ['AuthorizationPolicy', 'spec/action', 'PERMIT', /^\/spec\/action must be equal to one of/],
  [
    'AuthorizationPolicy',
    'spec',
    { selector: {}, targetRefs: [{ kind: 'Service', name: 'a' }] },
    /^\/spec only one of targetRefs or selector can be set/,
  ],
  [
    'AuthorizationPolicy',
    'spec/rules',
    [{ from: [{ source: { serviceAccounts: ['a'], principals: ['b'] } }] }],
    /^\/spec\/rules\/0\/from\/0\/source .*serviceAccounts/,
  ],
  ['PeerAuthentication', 'spec/portLevelMtls', { 80: {} }, /portLevelMtls requires selector/],
  ['PeerAuthentication', 'spec/mtls', [], /^\/spec\/mtls must be object/],
  ['CiliumNetworkPolicy', 'spec', undefined, /spec or specs must be provided/],
  ['CiliumNetworkPolicy', 'spec/egress', [{ toEntities: ['wrld'] }], /toEntities\/0 must be equal to one/],
  ['CiliumNetworkPolicy', 'spec/egress', [{ toCIDR: ['10.0.0.0/33'] }], /toCIDR\/0 must match format/],
  [
    'CiliumNetworkPolicy',
    'spec/ingress',
    [{ toPorts: [{ ports: [{ port: '9' }], rules: { kafka: [{ topic: 'a' }] } }] }],
    /rules unknown field "kafka"/,
  ],
  ['CiliumClusterwideNetworkPolicy', 'spec/egressDeny', {}, /^\/spec\/egressDeny must be array/],
  ['Gateway', 'spec/listeners/1', { name: 'http', port: 81, protocol: 'HTTP' }, /listeners\/1 duplicate \["http"\]/],
  ['Gateway', 'spec/listeners/0/tls', { options: { a: 'b' } }, /tls must not be specified for protocols/],
  ['Gateway', 'spec/listeners/0/port', 65536, /^\/spec\/listeners\/0\/port must be <= 65535/],
  ['HTTPRoute', 'spec/rules/0/matches', [{ path: { value: 'a' } }], /must be an absolute path and start with '\/'/],
  ['HTTPRoute', 'spec/rules/0/backendRefs/0/port', undefined, /Must have port for Service/],
  ['ValidatingPolicy', 'spec/validations', [{}], /validations\/0 must have required property 'expression'/],
  ['ValidatingPolicy', 'spec/validationActions', ['Refuse'], /validationActions\/0 must be equal/],
  ['PolicyException', 'spec/policyRefs', [{ name: 'a' }], /policyRefs\/0 must have required property 'kind'/],
]

/** A copy with something else at a place. */
function withAt(object: object, place: string, value: unknown): object {
  const copy = structuredClone(object)
  const steps = place.split('/')
  const last = steps.pop() ?? ''
  const parent = steps.reduce<object>((at, step) => (at as Record<string, object>)[step] ?? assert.fail(step), copy)
  if (value === undefined) Reflect.deleteProperty(parent, last)
  else Reflect.set(parent, last, value)
  return copy
}

describe('what an API server refuses by them', () => {
  for (const [kind, place, value, said] of broken)
    it(`${kind}: ${place} ${JSON.stringify(value)}`, () => {
      // Of the Gateways one that has a listener for HTTP: a waypoint's is of another protocol.
      const isMeant = ({ object }: { object: Written }) =>
        object.kind === kind && isDefined(object) && (kind !== 'Gateway' || object.metadata.name.endsWith('-gateway'))
      const { object } = written.find(isMeant) ?? assert.fail(kind)
      const definition = definitions.get(`${object.apiVersion} ${kind}`) ?? assert.fail(kind)
      assert.deepEqual(refusals(definition, object), [])
      assert.match(refusals(definition, withAt(object, place, value)).join('\n'), new RegExp(said.source, 'm'))
    })

  it('a field that is null is no field, and an entry of a list that is null is refused', () => {
    const { object } = written.find((one) => one.object.kind === 'AuthorizationPolicy') ?? assert.fail()
    const definition = definitions.get(`${object.apiVersion} ${object.kind}`) ?? assert.fail()
    assert.deepEqual(refusals(definition, withAt(object, 'spec', { selector: null, rules: null })), [])
    assert.match(refusals(definition, withAt(object, 'spec/rules', [null])).join(), /^\/spec\/rules\/0 must be object/)
  })
})
