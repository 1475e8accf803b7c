import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '@bulkhead/testing'
import { unreadOf } from './unread.js'

test('a file that the kustomization above it does not name is unread; one that it names is not', (t) => {
  const root = temporaryFolder(t)
  const at = (name: string) => join(root, name)
  mkdirSync(at('layer/shop'), { recursive: true })
  mkdirSync(at('plain'))
  writeFileSync(at('layer/kustomization.yaml'), 'resources:\n  - shop/named.yaml\n')
  for (const name of ['layer/shop/named.yaml', 'layer/shop/new.yaml', 'plain/any.yaml']) writeFileSync(at(name), 'a: 1')
  const asked = ['layer/kustomization.yaml', 'layer/shop/named.yaml', 'layer/shop/new.yaml', 'plain/any.yaml']
  assert.deepEqual(unreadOf([...asked, 'layer/shop/gone.yaml'].map(at), [root]), [
    { file: at('layer/shop/new.yaml'), kustomization: at('layer/kustomization.yaml') },
  ])
  assert.deepEqual(unreadOf([at('layer/shop/new.yaml')], [at('plain')]), [], 'what is not below a root is not ours')
})
