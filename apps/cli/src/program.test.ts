import assert from 'node:assert/strict'
import { test } from 'node:test'
import { repository } from './golden.js'
import type { Io } from './io.js'
import { createProgram } from './program.js'
import { runCli } from './testing.js'

const commands = createProgram({} as Io).commands

test('help is a result: on stdout, exit code 0', async () => {
  const { code, stdout, stderr } = await runCli(['--help'])
  assert.equal(code, 0)
  assert.equal(stderr, '')
  for (const command of commands) assert.match(stdout, new RegExp(`^  ${command.name()}\\b`, 'm'))
})

test('nothing to do is bad input: the help, on stderr', async () => {
  const { code, stdout, stderr } = await runCli([])
  assert.equal(code, 2)
  assert.equal(stdout, '')
  assert.match(stderr, /Usage: bulkhead/)
})

test('a command of commands without one is bad input: its help on stderr, and nothing after it', async () => {
  const { code, stdout, stderr } = await runCli(['cluster'])
  assert.deepEqual([code, stdout], [2, ''])
  assert.match(stderr, /^Usage: bulkhead cluster /)
  assert.match(stderr, /says its own\.\n$/)
})

for (const [name, args, said] of [
  ['an unknown command', ['atack'], /^bulkhead: unknown command 'atack'.*`npx bulkhead --help` lists the commands\.$/m],
  ['an unknown option', ['--no-such'], /^bulkhead: unknown option '--no-such'/],
  ["a command's unknown option", ['explain', 'a/b', 'c/d:1', '--no-such'], /^bulkhead: unknown option '--no-such'/],
  [
    'a missing argument',
    ['explain', 'shop/sleep'],
    /^bulkhead: missing required argument 'to'\. `npx bulkhead explain --help` says how it is written\.$/m,
  ],
  [
    'an option that is not a number',
    ['logs', 'a/b', '--tail', 'x'],
    /'x' is invalid: it has [^.]* 100000\. `npx bulkhead logs --help`/,
  ],
  ['a name with an escape in it', ['explain', 'a\u001b[2J', 'c/d:1'], /^bulkhead: [^\p{Cc}]*\\u001b\[2J[^\p{Cc}]*\n$/u],
  ['an argument too many', ['explain', 'a/b', 'c/d:1', 'GET', '/', 'more'], /^bulkhead: too many arguments/],
  ["a subcommand's argument too many", ['cluster', 'up', 'more'], /`npx bulkhead cluster up --help` says how/],
  ['an unknown subcommand', ['cluster', 'upp'], /^bulkhead: unknown command 'upp'.*`npx bulkhead cluster --help`/],
] as const) {
  test(`${name} is bad input: one line on stderr, nothing on stdout, exit code 2`, async () => {
    const { code, stdout, stderr } = await runCli(args)
    assert.equal(code, 2)
    assert.equal(stdout, '')
    assert.match(stderr, said)
    assert.equal(stderr.trimEnd().split('\n').length, 1, stderr)
  })
}

for (const command of commands) {
  test(`${command.name()} --help says what it does, its exit codes, and shows an example`, async () => {
    const { code, stdout } = await runCli([command.name(), '--help'])
    assert.equal(code, 0)
    assert.notEqual(command.description(), '')
    assert.match(stdout, new RegExp(`\\$ npx bulkhead ${command.name()}\\b`))
    assert.match(stdout, /Exit code/)
  })
}

for (const [reason, exit, said] of [
  ['SIGINT', 130, 'bulkhead: interrupted.\n'],
  ['SIGPIPE', 141, ''],
] as const) {
  test(`${reason} ends a command with ${exit}, and is no failure of its own`, async () => {
    const args = ['verdict', '--manifests', 'k8s/workloads', 'k8s/layers', '--flows', '-']
    const stdin = '{"from":{"workload":"shop/sleep"},"to":{"service":"shop/web-api"},"port":8080}\n'
    const going = await runCli(args, { cwd: repository, stdin })
    assert.deepEqual([going.code, going.stderr], [0, ''])
    const ended = await runCli(args, { cwd: repository, stdin, signal: AbortSignal.abort(reason) })
    assert.deepEqual(ended, { code: exit, stdout: '', stderr: said })
  })
}
