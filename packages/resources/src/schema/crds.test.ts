import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseAllDocuments } from 'yaml'
import { isObject } from '../plain.js'
import { authorizationPolicy } from './authorization-policy.js'
import { gateway } from './gateway-api/gateway.js'
import { httpRoute } from './gateway-api/http-route.js'
import { gatewayClass, referenceGrant } from './gateway-api/small-kinds.js'
import { generatingPolicy, mutatingPolicy, policyException, validatingPolicy } from './kyverno/cel-policies.js'
import { kyvernoPolicy, legacyException } from './kyverno/cluster-policy/policies.js'
import { ciliumClusterwideNetworkPolicy, ciliumNetworkPolicy } from './network/cilium-policy.js'
import { peerAuthentication } from './peer-authentication.js'
import type { ObjectSchema, Schema } from './schema.js'

/*
 * Our models against the CustomResourceDefinitions of a cluster: a field that one knows and the other does not is a policy
 * that is refused here and taken there, or the other way round. Cilium's against what is kept here of the pinned version;
 * the others, of which that has not every kind and version, where the whole definitions are at hand.
 */

const root = join(import.meta.dirname, '../../../..')
const folder = process.env.BULKHEAD_CRDS ?? join(root, '../shared/crds')

function fileOf(name: string): { file: string; skip: string | false } {
  const file = join(folder, name)
  const missing = `no ${file}: set BULKHEAD_CRDS to a folder with ${name}, the CustomResourceDefinitions as a cluster has them`
  return { file, skip: existsSync(file) ? false : missing }
}

const istio = fileOf('istio.yaml')
for (const [kind, schema] of [
  ['AuthorizationPolicy', authorizationPolicy],
  ['PeerAuthentication', peerAuthentication],
] as const) {
  test(`${kind}: our model and the CustomResourceDefinition know the same fields, types, values and bounds`, {
    skip: istio.skip,
  }, () => {
    const versions = versionsOf(istio.file, kind)
    assert.deepEqual(Object.keys(versions).sort(), ['v1', 'v1beta1'])
    const ours = facts({ type: 'object', fields: { spec: schema.fields.spec ?? assert.fail('no spec') } })
    for (const [version, theirs] of Object.entries(versions)) assert.deepEqual(ours, crdFacts(theirs), version)
  })
}

const gatewayApi = fileOf('gateway-api-v1.6.1.yaml')
for (const [kind, schema] of [
  ['Gateway', gateway],
  ['HTTPRoute', httpRoute],
  ['GatewayClass', gatewayClass],
  ['ReferenceGrant', referenceGrant],
] as const) {
  test(`${kind}: our model and the CustomResourceDefinition also know the same forms, least values and unique keys`, {
    skip: gatewayApi.skip,
  }, () => {
    const versions = versionsOf(gatewayApi.file, kind)
    assert.deepEqual(Object.keys(versions).sort(), ['v1', 'v1beta1'])
    const ours = facts({ type: 'object', fields: { spec: schema.fields.spec ?? assert.fail('no spec') } }, '', true)
    for (const [version, theirs] of Object.entries(versions))
      assert.deepEqual(ours, crdFacts(theirs, '', true), version)
  })
}

/**
 * Where our models are not the definition's text: expressions that backtrack without end are written in one way each, or
 * are code that also refuses what Cilium itself does (a port of 99999).
 */
const REWRITTEN: readonly [string, RegExp][] = [
  ['^([-a-zA-Z0-9_]+[.]?)+$', /^[-a-zA-Z0-9_]+(\.[-a-zA-Z0-9_]+)*\.?$/],
  ['^([-a-zA-Z0-9_*]+[.]?)+$', /^[-a-zA-Z0-9_*]+(\.[-a-zA-Z0-9_*]+)*\.?$/],
  ['^\\PC*$', /^\P{C}*$/u],
]
const BY_CODE = '^(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6'

function asWeWriteIt(fact: string): string {
  for (const [theirs, ours] of REWRITTEN) {
    const form = ` form=${new RegExp(theirs).source}`
    if (fact.endsWith(form)) return `${fact.slice(0, -form.length)} form=${ours.source}`
  }
  const code = fact.indexOf(` form=${BY_CODE}`)
  return code === -1 ? fact : fact.slice(0, code)
}

/** What Cilium 1.20 has no more and we read as it was before, with a warning. */
const BEFORE = /\.rules\.(kafka|l7|l7proto)\b/
/** May be there, empty; it is refused here by name, with what to write instead. */
const REQUIRES = /\.(from|to)Requires\b/

for (const [kind, schema] of [
  ['CiliumNetworkPolicy', ciliumNetworkPolicy],
  ['CiliumClusterwideNetworkPolicy', ciliumClusterwideNetworkPolicy],
] as const) {
  test(`${kind}: our model and the definition of the pinned version know the same fields, in spec and in specs`, () => {
    const kept = keptSchema(`cilium.io.${kind}`)
    for (const field of ['spec', 'specs'] as const) {
      const fields = { [field]: schema.fields[field] ?? assert.fail(field) }
      const ours = facts({ type: 'object', fields }, '', true).filter((fact) => !BEFORE.test(fact))
      const definition = { type: 'object', properties: { [field]: kept[field] } }
      const theirs = crdFacts(definition, '', true).filter((fact) => !REQUIRES.test(fact))
      assert.ok(ours.length > 300, `${ours.length} facts`)
      assert.deepEqual(ours.toSorted(), theirs.map(asWeWriteIt).toSorted())
    }
  })
}

/** The fields of a kind as scripts/definitions.mjs has written them, with what they share in each place. */
function keptSchema(name: string): Readonly<Record<string, unknown>> {
  const file = join(root, 'packages/scenarios/fixtures/definitions', `${name}.json`)
  const { schema } = JSON.parse(readFileSync(file, 'utf8')) as {
    schema: { properties: Record<string, unknown>; $defs: Record<string, unknown> }
  }
  const whole = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(whole)
    if (!isObject(value)) return value
    const { $ref } = value
    if (typeof $ref === 'string') return whole(schema.$defs[$ref.replace('#/$defs/', '')])
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, whole(one)]))
  }
  return whole(schema.properties) as Readonly<Record<string, unknown>>
}

const kyverno = fileOf('kyverno.yaml')
/** What is not looked into: signatures of images, and what their tools write. */
const UNREAD = ['verifyImages', 'imageExtractors', 'manifests']

for (const [group, kind, schemas] of [
  ['policies.kyverno.io', 'ValidatingPolicy', inEach(validatingPolicy, 'v1', 'v1beta1', 'v1alpha1')],
  ['policies.kyverno.io', 'MutatingPolicy', inEach(mutatingPolicy, 'v1', 'v1beta1', 'v1alpha1')],
  ['policies.kyverno.io', 'GeneratingPolicy', inEach(generatingPolicy, 'v1', 'v1beta1', 'v1alpha1')],
  ['policies.kyverno.io', 'PolicyException', inEach(policyException, 'v1', 'v1beta1', 'v1alpha1')],
  ['kyverno.io', 'PolicyException', inEach(legacyException, 'v2', 'v2beta1')],
  ...(['ClusterPolicy', 'Policy'] as const).map(
    (kind) => ['kyverno.io', kind, { v1: kyvernoPolicy(kind, 'v1'), v2beta1: kyvernoPolicy(kind, 'v2beta1') }] as const,
  ),
] as const) {
  test(`${group} ${kind}: our model and the CustomResourceDefinition know the same fields in every version`, {
    skip: kyverno.skip,
  }, () => {
    const versions = versionsOf(kyverno.file, kind, 'spec', group)
    assert.deepEqual(Object.keys(versions).sort(), Object.keys(schemas).sort())
    for (const [version, schema] of Object.entries(schemas)) {
      const ours = facts({ type: 'object', fields: { spec: schema.fields.spec ?? assert.fail('no spec') } }, '', true)
      const theirs = crdFacts(versions[version], '', true).flatMap(withoutUnread)
      assert.ok(ours.length > 15, `${ours.length} facts`)
      assert.deepEqual(ours.toSorted(), [...new Set(theirs)].sort(), version)
    }
  })
}

function inEach(schema: ObjectSchema, ...versions: readonly string[]): Readonly<Record<string, ObjectSchema>> {
  return Object.fromEntries(versions.map((version) => [version, schema]))
}

/** What lies below a field that is open in our model is one fact there. */
function withoutUnread(fact: string): string[] {
  const steps = fact.slice(0, fact.indexOf(': ')).split('.')
  const index = steps.findIndex((step) => UNREAD.includes(step.replace(/[[\]{}]/g, '')))
  if (index === -1) return [fact]
  return [`${[...steps.slice(0, index), steps[index]?.replace(/[[\]{}]/g, '')].join('.')}: open`]
}

function versionsOf(file: string, kind: string, field = 'spec', group?: string): Record<string, unknown> {
  for (const document of parseAllDocuments(readFileSync(file, 'utf8'))) {
    const { spec } = document.toJS() as {
      spec: {
        group: string
        names: { kind: string }
        versions: { name: string; schema: { openAPIV3Schema: { properties: Record<string, unknown> } } }[]
      }
    }
    if (spec.names.kind !== kind || (group ?? spec.group) !== spec.group) continue
    return Object.fromEntries(
      spec.versions.map(({ name, schema }) => [
        name,
        { type: 'object', properties: { [field]: schema.openAPIV3Schema.properties[field] } },
      ]),
    )
  }
  return assert.fail(`${file} does not define ${kind}`)
}

/** ` least=1`, with every detail and where there is one: what Istio's definitions have beyond ours is checked by code. */
const detail = (isOn: boolean, name: string, value: unknown): string =>
  isOn && value !== undefined && value !== null ? ` ${name}=${String(value)}` : ''

/** `spec.rules[].from[].source.principals[]: string`, sorted: one line for each place in the schema. */
function facts(schema: Schema, path = '', all = false): string[] {
  switch (schema.type) {
    case 'object': {
      const own = `${path}: object required=${[...(schema.required ?? [])].sort().join(',')}`
      const fields = Object.entries(schema.fields)
      return [own, ...fields.flatMap(([name, field]) => facts(field, `${path}.${name}`, all))].sort()
    }
    case 'map': {
      const own = `${path}: map${detail(all, 'max', schema.maxProperties)}`
      return [own, ...facts(schema.values, `${path}{}`, all)].sort()
    }
    case 'list': {
      const { minItems, maxItems, unique } = schema
      const key = unique === undefined || unique === 'whole' ? unique : unique.field
      const own = `${path}: list max=${maxItems ?? ''}${detail(all, 'min', minItems)}${detail(all, 'unique', key)}`
      return [own, ...facts(schema.items, `${path}[]`, all)].sort()
    }
    case 'string': {
      const { oneOf, minLength, maxLength, form } = schema
      const own = `${path}: string one of=${oneOf?.join(',') ?? ''} max=${maxLength ?? ''}`
      return [`${own}${detail(all, 'min', minLength)}${detail(all, 'form', form?.pattern.source)}`]
    }
    case 'integer':
      return [
        `${path}: integer${detail(all, 'one of', schema.oneOf)}${detail(all, 'min', schema.min)}${detail(all, 'max', schema.max)}`,
      ]
    case 'integerOrString':
      // Its values are an expression there and a list here; cilium-policy.test.ts holds them.
      return [`${path}: integerOrString`]
    default:
      return [`${path}: ${schema.type}`]
  }
}

function crdFacts(schema: unknown, path = '', all = false): string[] {
  assert.ok(isObject(schema), path)
  const { type, properties, additionalProperties, items, required, maxItems, minItems, minLength, maxLength } = schema
  if (type === 'object' && additionalProperties !== undefined) {
    const own = `${path}: map${detail(all, 'max', schema.maxProperties)}`
    return [own, ...crdFacts(additionalProperties, `${path}{}`, all)].sort()
  }
  if (type === 'object') {
    const own = `${path}: object required=${(Array.isArray(required) ? [...required] : []).sort().join(',')}`
    const fields = Object.entries(properties ?? {})
    return [own, ...fields.flatMap(([name, field]) => crdFacts(field, `${path}.${name}`, all))].sort()
  }
  if (type === 'array') {
    const key = schema['x-kubernetes-list-type'] === 'set' ? 'whole' : schema['x-kubernetes-list-map-keys']
    const own = `${path}: list max=${maxItems ?? ''}${detail(all, 'min', minItems)}${detail(all, 'unique', key)}`
    return [own, ...crdFacts(items, `${path}[]`, all)].sort()
  }
  if (schema['x-kubernetes-int-or-string'] === true) return [`${path}: integerOrString`]
  const values = Array.isArray(schema.enum) ? schema.enum.join(',') : undefined
  if (type === 'string') {
    const least = minLength === 0 ? undefined : minLength
    const form = typeof schema.pattern === 'string' ? new RegExp(schema.pattern).source : undefined
    const own = `${path}: string one of=${values ?? ''} max=${maxLength ?? ''}`
    return [`${own}${detail(all, 'min', least)}${detail(all, 'form', form)}`]
  }
  if (type === undefined && schema['x-kubernetes-preserve-unknown-fields'] === true) return [`${path}: open`]
  if (type !== 'integer') return [`${path}: ${String(type)}`]
  return [
    `${path}: integer${detail(all, 'one of', values)}${detail(all, 'min', schema.minimum)}${detail(all, 'max', schema.maximum)}`,
  ]
}
