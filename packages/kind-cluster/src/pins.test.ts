import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, it } from 'node:test'
import { compareVersions } from './doctor/versions.js'
import { PINS_FILE, PinsError, parsePins, readPins, wantedVersion } from './pins.js'

const root = resolve(import.meta.dirname, '../../..')
const text = readFileSync(join(root, PINS_FILE), 'utf8')

const mistakes = (changed: string): string => {
  try {
    parsePins(changed, 'versions.yaml')
  } catch (error) {
    if (error instanceof PinsError) return error.message
    throw error
  }
  return assert.fail('it was taken')
}

describe('the pins', () => {
  it('are read from the clone', () => {
    const pins = readPins(root)
    assert.match(pins.kind.node, new RegExp(`^kindest/node:v${pins.kubernetes.replaceAll('.', '\\.')}@sha256:`))
    assert.ok(pins.images.some((image) => image.startsWith('localhost/bulkhead/probe:')))
    assert.match(pins.gatewayApi, /^\d/)
  })

  it('want no tool that is older than what will do', () => {
    const pins = readPins(root)
    assert.equal(wantedVersion(pins, 'kubectl'), pins.kubernetes)
    assert.equal(wantedVersion(pins, 'kind'), pins.kind.version)
    assert.equal(wantedVersion(pins, 'istioctl'), pins.istio)
    assert.equal(wantedVersion(pins, 'docker'), undefined)
    for (const tool of ['kind', 'kubectl', 'helm', 'cilium', 'istioctl'] as const) {
      const wanted = wantedVersion(pins, tool)
      assert.ok(wanted !== undefined && compareVersions(wanted, pins.tools[tool].least) >= 0, tool)
    }
  })

  it('are told of with their place when they cannot be used, all at once', () => {
    const lineOf = (start: RegExp): number => text.split('\n').findIndex((one) => start.test(one)) + 1
    const told = mistakes(text.replace(/^cilium: .*$/m, 'cilium: v1.20').replace(/^istio: .*\n/m, ''))
    assert.deepEqual(told.split('\n'), [
      `versions.yaml:${lineOf(/^cilium:/)}:1: cilium must be a version such as 1.2.3, without a v, and is "v1.20"`,
      `versions.yaml:${lineOf(/^\w/)}:1: istio is missing: a version such as 1.2.3, without a v belongs there`,
    ])
  })

  it('have the node image by digest, and each image by its whole name', () => {
    assert.match(
      mistakes(text.replace(/@sha256:\S+/, '')),
      /:\d+:\d+: kind\.node must be an image with its tag and digest/,
    )
    assert.match(mistakes(text.replace('docker.io/library/postgres:18.6', 'postgres')), /: images\.\d must be an image/)
    assert.match(mistakes(text.replace(/^images:[\s\S]*/m, 'images: none\n')), /: images must be a list/)
    assert.match(mistakes(text.replace(/least: 0\.32\.0/, 'least: 1.30')), /: tools\.kind\.least must be .*is 1\.3$/)
  })

  it('are told of when the text is no YAML, is empty, or is not there', () => {
    assert.match(mistakes('kubernetes: [1.35.8'), /^versions\.yaml:\d+:\d+: /)
    assert.match(mistakes(''), /^versions\.yaml:1:1: kubernetes is missing/)
    assert.throws(() => readPins(join(root, 'nowhere')), /versions\.yaml:1:1: cannot be read \(ENOENT/)
  })
})
