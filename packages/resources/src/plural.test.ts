import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pluralOf } from './plural.js'

test('kinds as requests name them', () => {
  for (const [kind, plural] of Object.entries({
    Pod: 'pods',
    NetworkPolicy: 'networkpolicies',
    Gateway: 'gateways',
    Ingress: 'ingresses',
    Endpoints: 'endpoints',
    EndpointSlice: 'endpointslices',
    ProxyConfig: 'proxyconfigs',
    StorageClass: 'storageclasses',
    Switch: 'switches',
    Box: 'boxes',
  }))
    assert.equal(pluralOf(kind), plural)
})
