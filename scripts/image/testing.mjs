import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { inRoot } from '../lib/root.mjs'
import { cleanUp, temporaryFolder } from '../lib/testing.mjs'
import { filesBelow } from '../lib/workspaces.mjs'
import { unmake } from './assemble.mjs'

export const compiled = (file) => import(pathToFileURL(inRoot(file)).href)

/** A folder that every user may look into, removed in the end with what is sealed in it. */
export function openFolder(t) {
  const folder = temporaryFolder(t)
  cleanUp(t, () => unmake(folder))
  chmodSync(folder, 0o755)
  return folder
}

/** A file that every user may read. */
export function readable(folder, name, text) {
  const file = path.join(folder, name)
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(file, text, { mode: 0o444 })
  return file
}

/**
 * The containers of k8s/workloads whose image is made here, as { app, command, args, env, probes, user }: `command` and
 * `args` are missing where the manifest says nothing, `user` is the number that they run as.
 */
export async function containersOfOurs() {
  const { parseYaml } = await compiled('packages/resources/dist/yaml/index.js')
  return filesBelow(inRoot('k8s', 'workloads'))
    .filter((file) => file.endsWith('.yaml'))
    .flatMap((file) => parseYaml(readFileSync(file, 'utf8')).documents.map(({ value }) => value))
    .flatMap((object) => {
      const spec = object?.spec?.template?.spec
      return [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].flatMap((container) => {
        const app = /^localhost\/bulkhead\/([^:@]+)/.exec(container.image)?.[1]
        if (app === undefined) return []
        const probes = ['startupProbe', 'livenessProbe', 'readinessProbe']
          .map((name) => container[name]?.httpGet?.path)
          .filter((one) => one !== undefined)
        return [{ ...container, app, env: container.env ?? [], probes, user: spec.securityContext.runAsUser }]
      })
    })
}

/** Who a pod's process is: another user than the owner of its files, where this one may choose; else himself. */
export function somebodyElse(uid) {
  if (process.getuid?.() !== 0) return {}
  const user = { uid, gid: uid }
  // A Node below root's own folder is nobody else's to run.
  return spawnSync(process.execPath, ['--version'], { ...user, cwd: '/' }).status === 0 ? user : {}
}

/** Node's own rules for a process that may write no file anywhere: what a read-only root is, and more. */
function readOnly() {
  const major = Number.parseInt(process.versions.node, 10)
  const flag = major >= 24 ? '--permission' : '--experimental-permission'
  return [flag, '--allow-fs-read=*', '--allow-addons', ...(major >= 25 ? ['--allow-net'] : []), '--no-warnings']
}

/**
 * A program of an image that was assembled below `image`, run as its container would: nothing may be written, and the
 * environment is the manifest's alone.
 */
export class Program {
  said = ''
  errors = ''
  #heard = []

  constructor(t, image, argv, { env = {}, user = {}, input }) {
    const args = argv.map((arg) => (arg.startsWith('/app/') ? path.join(image, arg) : arg))
    this.process = spawn(process.execPath, [...readOnly(), ...args], {
      ...user,
      cwd: '/',
      env: { PATH: process.env.PATH, HOME: '/', ...env },
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    })
    this.process.stdin?.end(input)
    this.process.stdout.on('data', (data) => this.#hear('said', data))
    this.process.stderr.on('data', (data) => this.#hear('errors', data))
    this.ended = once(this.process, 'close').then(([code, signal]) => {
      for (const look of this.#heard.splice(0)) look()
      return code ?? signal
    })
    cleanUp(t, () => {
      this.process.kill('SIGKILL')
      return this.ended
    })
  }

  #hear(where, data) {
    this[where] += data
    for (const look of this.#heard.splice(0)) look()
  }

  /** What a pattern's group matches in what it says, as soon as it is said. */
  async says(pattern) {
    for (;;) {
      const match = pattern.exec(this.said)
      if (match !== null) return match[1] ?? match[0]
      if (this.process.exitCode !== null || this.process.signalCode !== null)
        throw new Error(`it ended without saying ${pattern}\n${this.said}${this.errors}`)
      await new Promise((resolve) => this.#heard.push(resolve))
    }
  }
}

/** Everything below a folder, folders too: { name, isFile, isFolder, mode, size, mtimeMs }, `name` relative to it. */
export function everything(folder, within = '') {
  return readdirSync(path.join(folder, within)).flatMap((entry) => {
    const name = path.join(within, entry)
    const stat = lstatSync(path.join(folder, name))
    const { mode, size, mtimeMs } = stat
    const own = { name, isFile: stat.isFile(), isFolder: stat.isDirectory(), mode, size, mtimeMs }
    return own.isFolder ? [own, ...everything(folder, name)] : [own]
  })
}
