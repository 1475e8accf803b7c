import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
// Compiled: `npm test` builds before it runs a test, of scripts too.
import { cleanUp, temporaryFolder, wholeSuite } from '../../packages/testing/dist/index.js'

export { cleanUp, temporaryFolder, wholeSuite }

/** A folder with these files (path -> text), removed when the test ends. Names that end in `*` are made executable. */
export function folderWith(t, files) {
  const root = temporaryFolder(t)
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(root, name.replace(/\*$/, ''))
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
    if (name.endsWith('*')) chmodSync(file, 0o755)
  }
  return root
}

/** Runs `work` with the environment changed, and puts it back. */
export async function withEnv(changes, work) {
  const before = Object.fromEntries(Object.keys(changes).map((name) => [name, process.env[name]]))
  Object.assign(process.env, changes)
  try {
    return await work()
  } finally {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  }
}

/** Keeps what is written: progress that is no part of the test's own output. */
export function collecting() {
  const said = []
  return { said, write: (text) => said.push(text) }
}
