import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { runQuietly } from './child.mjs'
import { Failure, fileProblem } from './failure.mjs'
import { step } from './progress.mjs'

const stampFile = (root) => path.join(root, 'node_modules', '.bulkhead', 'installed')

/** Whether node_modules holds what package-lock.json names, for this machine. */
export function isInstalled(root) {
  const wanted = fingerprint(root)
  if (readIfThere(stampFile(root)) === wanted) return true
  // Installed by hand (`npm ci`, `npm install`): npm leaves a lockfile of its own when it is done, not before.
  if (!matchesHiddenLockfile(root)) return false
  stamp(root, wanted)
  return true
}

/** npm's own waits between two tries are 10 s and more: without a network that is a minute of silence. */
const retries = ['--fetch-retries=2', '--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=5000']

/** Installs exactly what package-lock.json names. npm removes node_modules first, so half an install never stays. */
export async function install(root, stream = process.stderr) {
  const lockfile = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8'))
  const count = Object.keys(lockfile.packages).filter((key) => key.includes('node_modules/')).length
  await step(
    `Installing ${count} packages from package-lock.json`,
    async () => {
      const { code, output } = await npm(root, ['ci', '--prefer-offline', '--no-audit', '--no-fund', ...retries])
      if (code !== 0) throw explain(output)
    },
    stream,
  )
  stamp(root, fingerprint(root))
}

function fingerprint(root) {
  const lockfile = readIfThere(path.join(root, 'package-lock.json'))
  if (lockfile === undefined) {
    throw new Failure(
      'package-lock.json is missing: nothing would say which versions to install. Get it back with `git checkout package-lock.json`, or clone again.',
    )
  }
  const hash = createHash('sha256')
  hash.update(lockfile)
  // Some packages are made for one system only: a folder carried to another one needs its own.
  hash.update(`${process.platform} ${process.arch}`)
  return hash.digest('hex')
}

function stamp(root, value) {
  const file = stampFile(root)
  try {
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(file, value)
  } catch (error) {
    // Without the stamp the next run compares again; that costs milliseconds and harms nothing.
    if (!fileProblem(error, file)) throw error
  }
}

function matchesHiddenLockfile(root) {
  const hidden = readIfThere(path.join(root, 'node_modules', '.package-lock.json'))
  if (hidden === undefined || !existsSync(path.join(root, 'node_modules', '.bin', 'turbo'))) return false
  const there = JSON.parse(hidden).packages
  const wanted = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8')).packages
  return Object.entries(wanted).every(([key, entry]) => {
    if (key === '') return true
    const found = there[key]
    if (found === undefined) return Boolean(entry.optional)
    return found.version === entry.version && found.integrity === entry.integrity
  })
}

/** npm as it was called, or the one beside this Node, or the one in PATH. */
async function npm(root, args) {
  const own = process.env.npm_execpath
  const beside = path.join(path.dirname(process.execPath), '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js')
  const script =
    own && path.basename(own) === 'npm-cli.js' && existsSync(own) ? own : existsSync(beside) ? beside : undefined
  const command = script ? process.execPath : 'npm'
  try {
    return await runQuietly(command, script ? [script, ...args] : args, { cwd: root, env: process.env })
  } catch (error) {
    if (error.code === 'ENOENT') {
      throw new Failure(
        'npm was not found: it is not in PATH and not beside this Node.js. It comes with every Node.js download from nodejs.org; install that, then try again.',
      )
    }
    throw error
  }
}

const causes = [
  [
    /\bENOTCACHED\b/,
    'npm is set to be offline, and its cache lacks a package. Set it back (`npm config delete offline`, and npm_config_offline in the environment), then try again with a network. Only the first start needs it.',
  ],
  [
    /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|FETCH_ERROR)\b/,
    'the package registry could not be reached. Is there a network, and does it need a proxy (npm config set proxy ...)? Only the first start needs it.',
  ],
  [
    /\bE(ACCES|PERM|ROFS)\b/,
    'node_modules cannot be written here. Make the folder writable for this user, or copy the repository to one that is.',
  ],
  [/\b(ENOSPC|EDQUOT)\b/, 'the disk is full. About 300 MB are needed.'],
  [
    /\bEBADENGINE\b/,
    `a package does not allow Node.js ${process.versions.node}. Use the version in .nvmrc or a newer long-term one.`,
  ],
  [
    /\bEINTEGRITY\b/,
    'a package that arrived is not the one in package-lock.json. Try `npm cache clean --force`; if that does not help, do not trust the registry in between.',
  ],
  [
    /\bE(404|TARGET)\b/,
    'the registry does not have a package that package-lock.json names. A company mirror may lag behind; ask the public registry.',
  ],
  [
    /can only install packages when your package\.json and package-lock\.json/,
    'package.json and package-lock.json do not agree. After a change of dependencies run `npm install` once and commit both.',
  ],
]

/** What npm's last words mean. */
export function explain(output) {
  const cause = causes.find(([pattern]) => pattern.test(output))
  const said = output
    .split('\n')
    .filter((line) => !/^npm (warn|notice)/i.test(line))
    // npm's stack and what hangs on its error help only where the cause is not known.
    .filter((line) => cause === undefined || !/^npm error(\s*$| {2,}| \}| errno )/.test(line))
    .map((line) => (cause === undefined ? line : line.replace(/ \{$/, '')))
    .slice(-25)
    .join('\n')
  return new Failure(`npm ci did not work: ${cause ? cause[1] : 'the reason is above.'}`, said)
}

function readIfThere(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
