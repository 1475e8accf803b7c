// Tests clean up as docs/decisions/0064-clean-ups.md says: in one order, the last first, in every test.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { text, writtenFiles } from './repository.mjs'

/** Tests, and what only tests use. Not the package that has Node's own in it. */
const tests = writtenFiles().filter(
  (file) =>
    /\.test\.[cm]?[jt]s$|(^|[/\\])testing([/\\]|\.[cm]?[jt]s$)/.test(file) &&
    /\.[cm]?[jt]s$/.test(file) &&
    !/^packages[/\\]testing[/\\]/.test(file) &&
    !file.includes('fixtures'),
)

/** What is wrong with a test's text: undefined where nothing is. */
function mistakeOf(source) {
  if (/\b(?:t|test|context)\.after\(/.test(source)) return 'registers with t.after; use cleanUp(t, ...)'
  if (/import \{[^}]*\bafter\b[^}]*\} from 'node:test'/.test(source))
    return "imports Node's after; use cleanUp(wholeSuite(), ...)"
  if (/\bmkdtemp(?:Sync)?\(/.test(source)) return 'makes a temporary folder; use temporaryFolder(t)'
  return undefined
}

test('every test cleans up by cleanUp, and has its folders of temporaryFolder', () => {
  assert.ok(tests.length > 500, String(tests.length))
  const mistakes = tests.flatMap((file) => {
    const mistake = file.endsWith('clean-ups.test.mjs') ? undefined : mistakeOf(text(file))
    return mistake === undefined ? [] : [`${file} ${mistake}`]
  })
  assert.deepEqual(mistakes, [])
})

test('what is not meant is found', () => {
  for (const [source, mistake] of [
    ['t.after(() => server.close())', /cleanUp\(t/],
    ["import { after, test } from 'node:test'", /wholeSuite/],
    ["const folder = mkdtempSync(path.join(tmpdir(), 'x'))", /temporaryFolder/],
  ])
    assert.match(mistakeOf(source) ?? '', mistake)
  for (const source of ["import { test } from 'node:test'", 'backoff.after(0)', 'cleanUp(t, () => settle.after(one))'])
    assert.equal(mistakeOf(source), undefined)
})
