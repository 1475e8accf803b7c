import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commandLine, type Image, localImages, repositoryOf } from './images.js'

const image: Image = { root: '/repo/apps/probe', entrypoint: ['node', '/app/dist/main.js'], cmd: ['idle'] }
const node = process.execPath

test('command and args take the place of entrypoint and cmd as in a Pod', () => {
  const lines: readonly [{ command?: string[]; args?: string[] }, string[]][] = [
    [{}, [node, '/repo/apps/probe/dist/main.js', 'idle']],
    [{ args: ['attempt'] }, [node, '/repo/apps/probe/dist/main.js', 'attempt']],
    [{ command: ['node', '/app/other.js'] }, [node, '/repo/apps/probe/other.js']],
    [{ command: ['/usr/local/bin/node'], args: ['-e', '1'] }, [node, '-e', '1']],
  ]
  for (const [container, wanted] of lines) assert.deepEqual(commandLine(container, image), wanted)
})

test('a program that the image does not hold is an error that names it', () => {
  assert.throws(() => commandLine({ command: ['sh', '-c', 'true'] }, image), /no program "sh"/)
  assert.throws(() => commandLine({ command: [] }, image), /no program ""/)
})

test('an image is known by its repository, whatever its tag', () => {
  assert.equal(repositoryOf('localhost/bulkhead/probe:0.1.0'), 'localhost/bulkhead/probe')
  assert.equal(repositoryOf('localhost:5000/x@sha256:abc'), 'localhost:5000/x')
  assert.equal(repositoryOf('localhost:5000/x'), 'localhost:5000/x')
  assert.ok(localImages.has('localhost/bulkhead/chain-service'))
})
