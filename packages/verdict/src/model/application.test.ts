import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resource, service } from '../testing/objects.js'
import { applicationOf } from './application.js'
import { compile } from './compile.js'

/* Istio's protocol selection, as istiod's ConvertProtocol has it. */

test('appProtocol counts before the name, and of both what stands before the first hyphen', () => {
  const rows: [port: Parameters<typeof applicationOf>[0], application: string | undefined][] = [
    [{ port: 80, name: 'http' }, 'http'],
    [{ port: 80, name: 'http-web' }, 'http'],
    [{ port: 80, name: 'HTTP-web' }, 'http'],
    [{ port: 80, name: 'http2-web' }, 'http'],
    [{ port: 80, name: 'grpc' }, 'http'],
    [{ port: 80, name: 'grpc-web' }, 'http'],
    [{ port: 80, name: 'grpc-web-x' }, 'http'],
    [{ port: 80, name: 'tcp-web' }, 'tcp'],
    [{ port: 443, name: 'https' }, 'tcp'],
    [{ port: 443, name: 'tls-x' }, 'tcp'],
    [{ port: 1, name: 'mongo-x' }, 'tcp'],
    [{ port: 1, name: 'mysql' }, 'tcp'],
    [{ port: 1, name: 'redis' }, 'tcp'],
    [{ port: 80, name: 'web' }, undefined],
    [{ port: 80, name: 'httpx' }, undefined],
    [{ port: 80 }, undefined],
    [{ port: 80, name: 'http', appProtocol: 'tcp' }, 'tcp'],
    [{ port: 80, name: 'tcp', appProtocol: 'http' }, 'http'],
    [{ port: 80, name: 'http', appProtocol: 'example.org/other' }, undefined],
    [{ port: 80, appProtocol: 'kubernetes.io/h2c' }, 'http'],
    [{ port: 80, appProtocol: 'kubernetes.io/ws' }, 'http'],
    [{ port: 80, appProtocol: 'kubernetes.io/wss' }, 'tcp'],
    [{ port: 80, name: 'constructor' }, undefined],
    // Known for what they are, unless they say otherwise.
    [{ port: 27017, name: 'db' }, 'tcp'],
    [{ port: 3306 }, 'tcp'],
    [{ port: 27017, name: 'http' }, 'http'],
    [{ port: 53, name: 'http', protocol: 'UDP' }, undefined],
  ]
  for (const [port, application] of rows) assert.equal(applicationOf(port), application, JSON.stringify(port))
})

test('a Service’s ports say what they carry', () => {
  const { object } = service('app/web')
  const ports = [
    { name: 'http', port: 80 },
    { name: 'db', port: 5432 },
    { name: 'x', port: 81, appProtocol: 'tcp' },
  ]
  const given = { ...object, spec: { selector: { app: 'web' }, ports } }
  const model = compile([resource(given)]).services.get('app/web')
  assert.deepEqual(
    model?.ports.map(({ application }) => application),
    ['http', undefined, 'tcp'],
  )
})
