#!/usr/bin/env node
// Plain committed JavaScript: on a clone that is not built yet this is all there is of the command line, and it
// says what to do. Old syntax only, so that an old Node reads far enough to be told that it is too old.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const wanted = [20, 19]
const [major, minor] = process.versions.node.split('.').map(Number)
const main = new URL('../dist/main.js', import.meta.url)

function stop(sentence) {
  process.stderr.write(`bulkhead: ${sentence}\n`)
  process.exitCode = 2
}

if (major < wanted[0] || (major === wanted[0] && minor < wanted[1])) {
  stop(
    `Node.js ${wanted.join('.')} or newer is needed, and this is ${process.versions.node}. Install a newer one, then try again.`,
  )
} else if (!existsSync(main)) {
  const root = fileURLToPath(new URL('../../..', import.meta.url)).replace(/[/\\]$/, '')
  stop(`this clone is not built yet. Run \`npm start\` in ${root} first: it installs, builds and starts everything.`)
} else {
  import(main.href).catch((error) => {
    if (error && error.code === 'ERR_MODULE_NOT_FOUND') {
      stop(
        `a part of the installation is missing (${error.message}). Run \`npm start\` or \`npm test\`: both install and build what is missing.`,
      )
    } else {
      throw error
    }
  })
}
