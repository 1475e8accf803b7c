import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readRequest } from './request.js'
import { ApiStatus } from './status.js'

const read = (method: string, url: string) => {
  const [path = '', query = ''] = url.split('?')
  return readRequest(method, path, new URLSearchParams(query))
}

test('a method and a path are read as Kubernetes authorises them', () => {
  const table: readonly [method: string, url: string, as: string][] = [
    ['GET', '/api/v1/pods', 'list /v1 pods'],
    ['HEAD', '/api/v1/pods', 'list /v1 pods'],
    ['GET', '/api/v1/pods/', 'list /v1 pods'],
    ['GET', '/api/v1/pods?watch=true', 'watch /v1 pods'],
    ['GET', '/api/v1/pods?watch=1', 'watch /v1 pods'],
    ['GET', '/api/v1/pods?watch', 'watch /v1 pods'],
    ['GET', '/api/v1/pods?watch=false', 'list /v1 pods'],
    ['GET', '/api/v1/pods?watch=0', 'list /v1 pods'],
    ['GET', '/api/v1/watch/pods', 'watch /v1 pods'],
    ['GET', '/api/v1/watch/namespaces/shop/pods/x', 'watch /v1 pods shop x'],
    ['GET', '/api/v1/namespaces/shop/pods', 'list /v1 pods shop'],
    ['GET', '/api/v1/namespaces/shop/pods/x', 'get /v1 pods shop x'],
    ['GET', '/api/v1/namespaces/shop/pods/x?watch=true', 'watch /v1 pods shop x'],
    ['GET', '/api/v1/namespaces/shop/pods/x/log', 'get /v1 pods/log shop x'],
    ['POST', '/api/v1/namespaces/shop/pods', 'create /v1 pods shop'],
    ['POST', '/api/v1/namespaces/shop/pods/x/exec', 'create /v1 pods/exec shop x'],
    ['PUT', '/api/v1/namespaces/shop/pods/x', 'update /v1 pods shop x'],
    ['PATCH', '/api/v1/namespaces/shop/pods/x', 'patch /v1 pods shop x'],
    ['DELETE', '/api/v1/namespaces/shop/pods/x', 'delete /v1 pods shop x'],
    ['DELETE', '/api/v1/namespaces/shop/pods', 'deletecollection /v1 pods shop'],
    ['GET', '/api/v1/namespaces', 'list /v1 namespaces'],
    ['GET', '/api/v1/namespaces/shop', 'get /v1 namespaces shop shop'],
    ['PUT', '/api/v1/namespaces/shop/finalize', 'update /v1 namespaces/finalize shop shop'],
    ['GET', '/api/v1/nodes/n', 'get /v1 nodes n'],
    ['GET', '/apis/apps/v1/namespaces/shop/deployments', 'list apps/v1 deployments shop'],
    ['GET', '/api/v1/pods?fieldSelector=metadata.name%3Dx,status.phase!%3DRunning', 'list /v1 pods x'],
    ['GET', '/api/v1/namespaces/shop/pods/a%2Fb', 'get /v1 pods shop a/b'],
    ['GET', '/api/v1', 'path get /api/v1'],
    ['GET', '/api', 'path get /api'],
    ['GET', '/apis/apps', 'path get /apis/apps'],
    ['GET', '/', 'path get /'],
    ['POST', '/metrics', 'path post /metrics'],
  ]
  for (const [method, url, as] of table) {
    const found = read(method, url)
    const text =
      found.kind === 'path'
        ? `path ${found.verb} ${found.path}`
        : [
            found.verb,
            `${found.group}/${found.version}`,
            found.subresource === undefined ? found.resource : `${found.resource}/${found.subresource}`,
            found.namespace,
            found.name,
          ]
            .filter((part) => part !== undefined)
            .join(' ')
    assert.equal(text, as, `${method} ${url}`)
  }
})

test('a path that cannot be decoded is refused', () => {
  assert.throws(
    () => read('GET', '/api/v1/pods/%zz'),
    (error) => error instanceof ApiStatus && error.code === 400,
  )
})
