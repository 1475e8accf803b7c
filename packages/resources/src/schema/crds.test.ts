import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseAllDocuments } from 'yaml'
import { isObject } from '../plain.js'
import { authorizationPolicy } from './authorization-policy.js'
import { peerAuthentication } from './peer-authentication.js'
import type { Schema } from './schema.js'

/*
 * Our models against the CustomResourceDefinitions of a cluster, where they are at hand: a field that one knows and the
 * other does not is a policy that is refused here and taken there, or the other way round.
 */

const root = join(import.meta.dirname, '../../../..')
const folder = process.env.BULKHEAD_CRDS ?? join(root, '../shared/crds')
const file = join(folder, 'istio.yaml')
const skip = existsSync(file)
  ? false
  : `no ${file}: set BULKHEAD_CRDS to a folder with istio.yaml, the CustomResourceDefinitions of Istio`

for (const [kind, schema] of [
  ['AuthorizationPolicy', authorizationPolicy],
  ['PeerAuthentication', peerAuthentication],
] as const) {
  test(`${kind}: our model and the CustomResourceDefinition know the same fields, types, values and bounds`, {
    skip,
  }, () => {
    const versions = versionsOf(kind)
    assert.deepEqual(Object.keys(versions).sort(), ['v1', 'v1beta1'])
    const ours = facts({ type: 'object', fields: { spec: schema.fields.spec ?? assert.fail('no spec') } })
    for (const [version, theirs] of Object.entries(versions)) assert.deepEqual(ours, crdFacts(theirs), version)
  })
}

function versionsOf(kind: string): Record<string, unknown> {
  for (const document of parseAllDocuments(readFileSync(file, 'utf8'))) {
    const { spec } = document.toJS() as {
      spec: {
        names: { kind: string }
        versions: { name: string; schema: { openAPIV3Schema: { properties: { spec: unknown } } } }[]
      }
    }
    if (spec.names.kind !== kind) continue
    return Object.fromEntries(
      spec.versions.map(({ name, schema }) => [
        name,
        { type: 'object', properties: { spec: schema.openAPIV3Schema.properties.spec } },
      ]),
    )
  }
  return assert.fail(`${file} does not define ${kind}`)
}

/** `spec.rules[].from[].source.principals[]: string`, sorted: one line for each place in the schema. */
function facts(schema: Schema, path = ''): string[] {
  switch (schema.type) {
    case 'object': {
      const own = `${path}: object required=${[...(schema.required ?? [])].sort().join(',')}`
      return [own, ...Object.entries(schema.fields).flatMap(([name, field]) => facts(field, `${path}.${name}`))].sort()
    }
    case 'map':
      return [`${path}: map`, ...facts(schema.values, `${path}{}`)].sort()
    case 'list':
      return [`${path}: list max=${schema.maxItems ?? ''}`, ...facts(schema.items, `${path}[]`)].sort()
    case 'string':
      return [`${path}: string one of=${schema.oneOf?.join(',') ?? ''} max=${schema.maxLength ?? ''}`]
    default:
      return [`${path}: ${schema.type}`]
  }
}

function crdFacts(schema: unknown, path = ''): string[] {
  assert.ok(isObject(schema), path)
  const { type, properties, additionalProperties, items, required, maxItems, maxLength } = schema
  if (type === 'object' && additionalProperties !== undefined)
    return [`${path}: map`, ...crdFacts(additionalProperties, `${path}{}`)].sort()
  if (type === 'object') {
    const own = `${path}: object required=${(Array.isArray(required) ? [...required] : []).sort().join(',')}`
    return [
      own,
      ...Object.entries(properties ?? {}).flatMap(([name, field]) => crdFacts(field, `${path}.${name}`)),
    ].sort()
  }
  if (type === 'array') return [`${path}: list max=${maxItems ?? ''}`, ...crdFacts(items, `${path}[]`)].sort()
  if (type === 'string')
    return [`${path}: string one of=${Array.isArray(schema.enum) ? schema.enum.join(',') : ''} max=${maxLength ?? ''}`]
  return [`${path}: ${String(type)}`]
}
