import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { eventually, temporaryFolder } from '@bulkhead/testing'
import { inClusterAccess, kubeConfigAccess } from './access.js'
import { selfSigned } from './testing/certificate.js'
import { names, synced, view } from './testing/connected.js'
import { FakeApi, podObject } from './testing/fake-api.js'

test('a redirect is not followed: the token is for this server', async (t) => {
  const [api, other] = await Promise.all([FakeApi.start(t), FakeApi.start(t)])
  api.instead = ({ watch, resource }, response) => {
    response.writeHead(302, { location: `http://127.0.0.1:${other.port}/api/v1/${resource}?watch=${watch}` })
    response.end()
    return true
  }
  const cluster = view(t, api.access)
  await eventually('a refusal', () => /302/.test(cluster.problem ?? ''))
  api.instead = ({ watch, resource }, response) => {
    if (watch) response.writeHead(302, { location: `http://127.0.0.1:${other.port}/api/v1/${resource}` }).end()
    return watch
  }
  await eventually('a refusal of the watch', () => /redirect/.test(cluster.problem ?? ''))
  assert.equal(other.requests.length, 0)
})

test('a certificate of another authority is refused', async (t) => {
  const [tls, other] = await Promise.all([selfSigned(), selfSigned()])
  const api = await FakeApi.start(t, tls)
  const cluster = view(t, {
    server: api.access.server,
    credentials: () => Promise.resolve({ headers: {}, tls: { ca: other.cert } }),
  })
  await eventually('the certificate is refused', () => /certificate/.test(cluster.problem ?? ''))
  assert.equal(api.requests.length, 0)
})

test('the access of a pod: token and authority are read from its files, each time anew', async (t) => {
  const folder = temporaryFolder(t)
  const tls = await selfSigned()
  const api = await FakeApi.start(t, tls)
  api.set('pods', podObject('web'))
  const access = inClusterAccess(
    { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: String(api.port) },
    folder,
  )
  const cluster = view(t, access)
  await eventually('the file that is missing', () => /token/.test(cluster.problem ?? ''))
  await writeFile(join(folder, 'ca.crt'), tls.cert)
  await writeFile(join(folder, 'token'), 'an-old-token\n')
  await eventually('the old token is refused', () => /401/.test(cluster.problem ?? ''))
  await writeFile(join(folder, 'token'), 'a-token\n')
  await synced(cluster)
  assert.deepEqual(names(cluster), ['web'])
  assert.throws(() => inClusterAccess({}, folder), /KUBERNETES_SERVICE_HOST/)
  assert.equal(
    inClusterAccess({ KUBERNETES_SERVICE_HOST: '::1', KUBERNETES_SERVICE_PORT: '6443' }, folder).server,
    'https://[::1]:6443',
  )
})

test('the access of a kubeconfig file', async (t) => {
  const folder = temporaryFolder(t)
  const tls = await selfSigned()
  const api = await FakeApi.start(t, tls)
  api.set('pods', podObject('web'))
  const file = join(folder, 'config')
  const config = {
    'current-context': 'test',
    clusters: [
      {
        name: 'test',
        cluster: {
          server: `${api.access.server}/`,
          'certificate-authority-data': Buffer.from(tls.cert).toString('base64'),
        },
      },
    ],
    users: [{ name: 'me', user: { token: 'a-token' } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'me' } }],
  }
  await writeFile(file, JSON.stringify(config))
  const cluster = view(t, await kubeConfigAccess(file))
  await synced(cluster)
  await api.watched()
  assert.deepEqual(names(cluster), ['web'])
  await writeFile(file, '{}')
  await assert.rejects(kubeConfigAccess(file))
  await assert.rejects(kubeConfigAccess(join(folder, 'none')), /ENOENT/)
})
