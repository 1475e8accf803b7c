import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MAX_COMMAND_LINE, MAX_REGEX_LENGTH, readCommandRegex } from './command-regex.js'

function read(source: string) {
  const regex = readCommandRegex(source)
  if (typeof regex === 'string') assert.fail(`${source}: ${regex}`)
  return regex
}

test('contract 1.8.2: an expression is found anywhere in the line, and upper and lower case differ', () => {
  assert.equal(read('nginx').matches('/usr/sbin/nginx -g daemon off;'), true)
  assert.equal(read('^nginx').matches('/usr/sbin/nginx'), false)
  assert.equal(read('NGINX').matches('nginx'), false)
  assert.equal(read('(?i)NGINX').matches('nginx'), true)
})

test('contract 1.8.2: an empty command line is missed by .+ and hit by .*', () => {
  assert.equal(read('.+').matches(''), false)
  assert.equal(read('.*').matches(''), true)
})

test('contract M12, 1.16: what is not RE2 is refused, with the reason', () => {
  for (const [source, said] of [
    ['(?=a)', /\(\?=/],
    ['(a)\\1', /escape/],
    ['(?<!a)b', /RE2/],
    ['[', /missing closing \]/],
    ['a{1001}', /repeat/],
    ['((a{100}){100}){100}', /repeat/],
    ['(?i)\\pL{900}', /too large/],
    ['a'.repeat(MAX_REGEX_LENGTH + 1), /longer than 256/],
  ] as const) {
    const problem = readCommandRegex(source)
    assert.equal(typeof problem, 'string', source)
    assert.match(problem as string, said)
  }
  read('a'.repeat(MAX_REGEX_LENGTH))
})

test('an expression that would keep a backtracking engine busy for years comes back: that this test ends is the proof', () => {
  for (const source of ['(a+)+$b', '(x+x+)+y', '(a|aa)+$', '(.*)*(.*)*(.*)*[\\x00]', '(\\w|\\W){90}[^ -~]$']) {
    assert.equal(read(source).matches(`${'a'.repeat(4_000)}!`), false, source)
  }
})

test('of a long line the first characters are looked at', () => {
  assert.equal(read('end').matches(`${' '.repeat(MAX_COMMAND_LINE - 3)}end`), true)
  assert.equal(read('end').matches(`${' '.repeat(MAX_COMMAND_LINE)}end`), false)
})
