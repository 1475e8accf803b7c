import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canonicalName, exactName, namePattern, serverName } from './names.js'

function holds(of: (text: string) => { matches(name: string): boolean }, pattern: string, names: string): string {
  const matcher = of(pattern)
  return names
    .split(' ')
    .filter((name) => matcher.matches(name))
    .join(' ')
}

test('names are compared in lower case and without the last dot', () => {
  assert.equal(canonicalName('API.GitHub.com.'), 'api.github.com')
  assert.equal(
    holds(exactName, 'API.github.com.', 'api.github.com github.com api.github.com.evil.example'),
    'api.github.com',
  )
})

test('matchPattern: a star is any characters of one label, alone every name', () => {
  assert.equal(
    holds(namePattern, '*.example.com', 'www.example.com example.com a.b.example.com wwwXexample.com'),
    'www.example.com',
  )
  assert.equal(holds(namePattern, '*', 'www.example.com x'), 'www.example.com x')
  assert.equal(
    holds(namePattern, 'api-*.example.com', 'api-1.example.com api-.example.com api.example.com'),
    'api-1.example.com api-.example.com',
  )
  assert.equal(holds(namePattern, '*a*b*.c', 'xaxbx.c ab.c ba.c a.b.c'), 'xaxbx.c ab.c')
})

test('matchPattern: two stars and a dot are one or more labels', () => {
  assert.equal(
    holds(namePattern, '**.example.com', 'a.example.com a.b.example.com example.com a..example.com'),
    'a.example.com a.b.example.com',
  )
  assert.equal(holds(namePattern, '**.*.com', 'a.b.com b.com'), 'a.b.com')
})

test('more stars than that are one: the first label alone stands for several', () => {
  for (const of of [namePattern, serverName]) {
    assert.equal(holds(of, '****.example.com', 'a.b.example.com example.com'), 'a.b.example.com')
    assert.equal(
      holds(of, 'sub.**.example.com', 'sub.a.example.com sub.a.b.example.com sub.example.com'),
      'sub.a.example.com',
    )
    assert.equal(holds(of, '**b**.com', 'abc.com b.com a.b.com c.com'), 'abc.com b.com')
    for (const every of ['*', '**', '***', '*.', '**.']) assert.equal(holds(of, every, 'a.b.com a'), 'a.b.com a', every)
  }
})

test('serverNames: without a last dot, in any case', () => {
  assert.equal(
    holds(serverName, 'example.com', 'example.com EXaMpLE.COM www.example.com notexample.com'),
    'example.com EXaMpLE.COM',
  )
  for (const all of ['*', '**']) {
    assert.equal(
      holds(serverName, all, 'localhost foo.007.example.com example.com. ex@mple.com'),
      'localhost foo.007.example.com',
    )
    assert.equal(serverName(all).matches(''), false)
  }
  assert.equal(holds(serverName, 'sub.*.com', 'sub.foo.com sub.com test.sub.example.com'), 'sub.foo.com')
  assert.equal(
    holds(serverName, 'sub.example-*.com', 'sub.example-foo-bar.com sub.example.com sub.example-foo.bar.com'),
    'sub.example-foo-bar.com',
  )
  assert.equal(holds(serverName, 'sub.foo.com.', 'sub.foo.com sub.foo.com.'), 'sub.foo.com')
  assert.equal(
    holds(
      serverName,
      '**.sub.*.ex*e.com',
      'foo.sub.bar.example.com t.foo.sub.bar.exe.com sub.test.example.com test.sub.example.com',
    ),
    'foo.sub.bar.example.com t.foo.sub.bar.exe.com',
  )
})

test('a long name against many stars takes no longer than it should', () => {
  const pattern = serverName(`${'*a'.repeat(30)}.${'**.'.repeat(20)}com`)
  const name = `${'a'.repeat(63)}.`.repeat(30)
  const start = process.cpuUsage()
  assert.equal(pattern.matches(`${name}org`), false)
  // Tried one way after another, it would take longer than anybody waits.
  // Of the processor's time, whoever else wants it.
  assert.ok(process.cpuUsage(start).user < 5_000_000)
})
