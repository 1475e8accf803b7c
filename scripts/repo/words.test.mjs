import assert from 'node:assert/strict'
import { test } from 'node:test'
import { text, writtenFiles } from './repository.mjs'

// Written so that no pattern matches itself.
const unwanted = [
  [/(?<![\w.$}`)-])[/]work[/]/, 'a path of the machine it was written on'],
  [/[/]Users[/][a-z]/, 'a path of the machine it was written on'],
  [/[/]home[/](?!kubernetes|node\b|user\b|me\b)[a-z]/, 'a path of the machine it was written on'],
  [/registry[.]npmjs/, 'the address of a registry'],
  [/\b(TO[D]O|FIX[M]E|XX[X])\b/, 'work left undone'],
  [/@ts-(ignore|nocheck)/, 'a switched-off compiler'],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----\n[A-Za-z0-9+/=\n]{40}/, 'a private key'],
]

test('no file speaks of the machine it was written on, holds a key, or leaves work undone', () => {
  // What a picture's bytes spell is chance.
  const files = writtenFiles().filter(
    (file) => file !== 'package-lock.json' && file !== 'scripts/repo/words.test.mjs' && !file.endsWith('.png'),
  )
  assert.ok(files.length > 50)
  for (const file of files) {
    const content = text(file)
    for (const [pattern, what] of unwanted) {
      const line = content.split('\n').findIndex((candidate) => pattern.test(candidate)) + 1
      assert.ok(line === 0 && !pattern.test(content), `${file}:${line} holds ${what}`)
    }
  }
})

test('every test file has tests, and none is skipped or alone', () => {
  const files = writtenFiles().filter((file) => /\.test\.(ts|mjs)$/.test(file))
  assert.ok(files.length > 3)
  for (const file of files) {
    const content = text(file)
    assert.match(content, /from 'node:test'/, file)
    assert.match(content, /\b(test|it)\(/, file)
    assert.doesNotMatch(content, /\b(test|it|describe)[.](only|todo)\(|\b(only|todo): true/, file)
  }
})
