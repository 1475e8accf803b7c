#!/usr/bin/env node
// Makes packages/scenarios/fixtures/definitions anew from CustomResourceDefinitions, as a cluster or a project's release has
// them: of each kind that k8s/ has, the version that it is written in, without descriptions and status. Usage:
//   node scripts/definitions.mjs FOLDER     *.yaml files of CustomResourceDefinitions
// What it was made of, and which pinned version that was compared with, is written by hand in sources.json beside them.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseAllDocuments } from 'yaml'
import { Failure, tell } from './lib/failure.mjs'
import { inRoot } from './lib/root.mjs'

const target = inRoot('packages/scenarios/fixtures/definitions')

const sources = Object.values(JSON.parse(readFileSync(path.join(target, 'sources.json'), 'utf8')))

/** Characters from which on a part that is there twice is written once, under `$defs`. */
const worthSharing = 200

try {
  main(process.argv[2])
} catch (error) {
  tell(error)
}

function main(folder) {
  if (folder === undefined)
    throw new Failure('Which folder? node scripts/definitions.mjs FOLDER, with *.yaml files of definitions.')
  const found = new Map()
  for (const file of readdirSync(folder).filter((name) => /\.ya?ml$/.test(name))) {
    for (const document of parseAllDocuments(readFileSync(path.join(folder, file), 'utf8'))) {
      const { kind, spec } = document.toJS() ?? {}
      if (kind === 'CustomResourceDefinition') found.set(`${spec.group}/${spec.names.kind}`, spec)
    }
  }
  let count = 0
  for (const { kinds } of sources) {
    for (const [name, version] of Object.entries(kinds)) {
      const spec = found.get(name)
      const served = spec?.versions.find((one) => one.name === version && one.served)
      if (served === undefined) throw new Failure(`${folder} has no definition of ${name} with ${version}.`)
      const { status: _, ...properties } = served.schema.openAPIV3Schema.properties
      const schema = shared(bare({ ...served.schema.openAPIV3Schema, properties }))
      const definition = { group: spec.group, kind: spec.names.kind, version, scope: spec.scope, schema }
      writeFileSync(
        path.join(target, `${spec.group}.${spec.names.kind}.json`),
        `${JSON.stringify(definition, null, 1)}\n`,
      )
      count += 1
    }
  }
  console.log(`Wrote ${count} definitions to ${path.relative(inRoot(), target)}.`)
}

/** Without what is for readers alone. Under `properties` every name is a field's, `description` as well. */
function bare(value, isNames = false) {
  if (Array.isArray(value)) return value.map((one) => bare(one))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => isNames || (name !== 'description' && name !== 'example'))
      .map(([name, one]) => [name, bare(one, !isNames && name === 'properties')]),
  )
}

/** The same schema, in which a large part that is there more than once is under `$defs`, the largest first. */
function shared(schema) {
  const counts = new Map()
  const count = (value) => {
    if (typeof value !== 'object' || value === null) return
    const text = JSON.stringify(value)
    if (!Array.isArray(value) && typeof value.type === 'string' && text.length >= worthSharing)
      counts.set(text, (counts.get(text) ?? 0) + 1)
    if ((counts.get(text) ?? 0) < 2) for (const one of Object.values(value)) count(one)
  }
  count(schema)
  const names = new Map([...counts].filter(([, times]) => times > 1).map(([text], index) => [text, `d${index + 1}`]))
  const put = (value, isOwn = false) => {
    if (typeof value !== 'object' || value === null) return value
    const name = isOwn ? undefined : names.get(JSON.stringify(value))
    if (name !== undefined) return { $ref: `#/$defs/${name}` }
    return Array.isArray(value)
      ? value.map((one) => put(one))
      : Object.fromEntries(Object.entries(value).map(([key, one]) => [key, put(one)]))
  }
  const defs = Object.fromEntries([...names].map(([text, name]) => [name, put(JSON.parse(text), true)]))
  return { ...put(schema, true), ...(names.size > 0 && { $defs: defs }) }
}
