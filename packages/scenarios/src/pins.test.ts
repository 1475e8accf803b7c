import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, it } from 'node:test'
import { parseYaml } from '@bulkhead/resources/yaml'
import { istioVersion, proxyImage } from '@bulkhead/verdict'
import { resources } from './testing/repository.js'

/*
 * k8s/platform/versions.yaml says what everything is pinned to; whatever else names a version is held against it.
 */

const root = resolve(import.meta.dirname, '../../..')
const text = (path: string): string => readFileSync(join(root, path), 'utf8')
const platform = (path: string): string => text(join('k8s/platform', path))

interface Pins {
  readonly kubernetes: string
  readonly kind: { readonly version: string; readonly node: string }
  readonly cilium: string
  readonly istio: string
  readonly 'gateway-api': string
  readonly kyverno: { readonly version: string; readonly chart: string }
  readonly images: readonly string[]
}
const pins = yamlOf<Pins>('versions.yaml')

function yamlOf<T>(path: string): T {
  const { documents, diagnostics } = parseYaml(platform(path), { file: path })
  assert.deepEqual(diagnostics, [])
  return documents[0]?.toJS() as T
}
