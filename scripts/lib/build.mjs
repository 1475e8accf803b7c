import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { runQuietly } from './child.mjs'
import { Failure, fileProblem } from './failure.mjs'
import { step } from './progress.mjs'
import { compiled, filesBelow, workspaces } from './workspaces.mjs'

const stampFile = (root) => path.join(root, 'node_modules', '.bulkhead', 'built')

/**
 * Whether everything compiled is as new as its source. A look at sizes and times of change, so that a start with
 * nothing to do costs milliseconds; turbo, which compares contents, is asked only when something looks different.
 */
export function isBuilt(root) {
  const now = fingerprint(root)
  return now !== undefined && now === readIfThere(stampFile(root))
}

/** Builds what is stale. turbo knows which packages those are, and remembers what it has built before. */
export async function build(root, stream = process.stderr) {
  const turbo = path.join(root, 'node_modules', '.bin', 'turbo')
  const args = ['run', 'build', '--output-logs=errors-only', '--log-order=grouped']
  const env = { ...process.env, TURBO_TELEMETRY_DISABLED: '1', TURBO_NO_UPDATE_NOTIFIER: '1', FORCE_COLOR: '0' }
  const output = await step(
    `Building ${workspaces(root).length} packages`,
    async () => {
      const { code, output } = await runQuietly(turbo, args, { cwd: root, env })
      if (code !== 0)
        throw (
          fileErrorIn(output) ??
          new Failure("The build failed: the compiler's words are above.", compilersWords(output))
        )
      return output
    },
    stream,
  )
  const value = fingerprint(root)
  if (value === undefined)
    throw new Failure(
      'The build ended well and yet files are missing. Remove the dist/ folders, then try again.',
      output,
    )
  try {
    mkdirSync(path.dirname(stampFile(root)), { recursive: true })
    writeFileSync(stampFile(root), value)
  } catch (error) {
    throw fileProblem(error, stampFile(root)) ?? error
  }
}

/** Name, size and time of change of every source; undefined when a compiled file is missing. */
function fingerprint(root) {
  const hash = createHash('sha256')
  const add = (file) => {
    const { size, mtimeMs } = statSync(file)
    hash.update(`${path.relative(root, file)} ${size} ${mtimeMs}\n`)
  }
  add(path.join(root, 'tsconfig.base.json'))
  add(path.join(root, 'turbo.json'))
  add(path.join(root, 'package-lock.json'))
  for (const folder of workspaces(root)) {
    const workspace = path.join(root, folder)
    add(path.join(workspace, 'package.json'))
    add(path.join(workspace, 'tsconfig.json'))
    for (const source of filesBelow(path.join(workspace, 'src'))) {
      add(source)
      if (!/\.([cm]?ts|tsx)$/.test(source) || /\.d\.[cm]?ts$/.test(source)) continue
      if (statSync(compiled(workspace, source), { throwIfNoEntry: false }) === undefined) return undefined
    }
  }
  return hash.digest('hex')
}

/** Without what turbo and npm say around them, and without colour. */
function compilersWords(output) {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal's colours begin with this one
  const lines = output.replace(/\u001b\[[0-9;]*m/g, '').split('\n')
  const said = lines
    .map((line) => /^(@?[\w/-]+):build: (.*)$/.exec(line)?.[2])
    .filter((line) => line !== undefined && !/^(npm (warn|error|notice)|> |cache (miss|hit))/.test(line))
  return said.join('\n').trim() || output
}

function fileErrorIn(output) {
  const code = /\b(EACCES|EROFS|ENOSPC|EDQUOT)\b/.exec(output)?.[1]
  return code && fileProblem({ code }, 'A dist/ folder')
}

function readIfThere(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
