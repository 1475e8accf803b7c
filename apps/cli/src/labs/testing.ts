import assert from 'node:assert/strict'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { ControlClient } from '@bulkhead/control'
import { checkLab, compareOutput, type Lab, type LabCommand, LabJournal, type StepProgress } from '@bulkhead/labs'
import { curlPath } from '../pages/curl.js'
import { inShell, limit } from '../pages/shell.js'
import { bulkhead, root } from '../target/testing.js'
import { typeCli } from '../testing.js'
import { labTarget } from './lab-target.js'

const bin = path.join(root, 'apps', 'cli', 'bin', 'bulkhead.js')
const long = process.env.BULKHEAD_LONG === '1'
/** A record is written at its connection's end; for datagrams that is once nothing has come for two seconds. */
const recordMs = 5000

/** A page being typed, command by command, on a target of its own. */
export class Replay {
  readonly #stateDir: string
  readonly #env: NodeJS.ProcessEnv
  readonly #ports: ReadonlyMap<string, string>

  private constructor(stateDir: string, env: NodeJS.ProcessEnv, ports: ReadonlyMap<string, string>) {
    this.#stateDir = stateDir
    this.#env = env
    this.#ports = ports
  }

  /** Brings a target up, as `npm start` does for the page, on any ports. */
  static async start(folder: string, lang: string): Promise<Replay> {
    const stateDir = path.join(folder, 'state')
    const { code, stderr } = await bulkhead('up', '--state', stateDir, '--port', '0')
    assert.equal(code, 0, stderr)
    const PATH = curlPath(folder)
    const { published } = await ControlClient.find(stateDir).status()
    const ports = new Map(published.map(({ service, url }) => [service, url]))
    return new Replay(stateDir, { ...process.env, PATH, LANG: lang, LC_ALL: '' }, ports)
  }

  stop(): Promise<unknown> {
    return bulkhead('down', '--state', this.#stateDir)
  }

  /** Types a command of the page, and holds what it prints against what the page shows. */
  async type({ line, output, at }: LabCommand, page: string): Promise<void> {
    const [, variable] = /^([A-Z_]+)=/.exec(line) ?? []
    const said = this.#asOnThePage(await this.#typed(line, variable))
    if (variable !== undefined) assert.notEqual(this.#env[variable], '', `${page}:${at}: ${variable} is empty`)
    const difference = compareOutput(output, said)
    if (difference === undefined) return
    const { line: where, expected, actual } = difference
    assert.fail(
      `${page}:${at}: \`${line}\` prints something else\n  on the page: ${expected}\n  here, in line ${where}: ${actual}\nall of it:\n${said}`,
    )
  }

  /** What it prints. What it puts into a variable the next ones have, as in one terminal. */
  async #typed(line: string, variable: string | undefined): Promise<string> {
    const [command = '', ...rest] = long ? [] : ownWords(line)
    if (command !== '')
      return typeCli([command, ...this.#stateOf(command), ...rest], { cwd: root, env: this.#env, signal: limit() })
    const here = this.#asHere(line)
    if (variable === undefined) return inShell(here, this.#env)
    this.#env[variable] = await inShell(`${here}\nprintf %s "$${variable}"`, this.#env)
    return ''
  }

  /** @param step its heading, where all of it was just typed: what it tried is waited for */
  async progress(lab: Lab, step?: string): Promise<readonly StepProgress[]> {
    const entry = new LabJournal(this.#stateDir).read()
    assert.ok(entry !== undefined, `lab ${lab.id} is under way`)
    const target = labTarget(ControlClient.find(this.#stateDir))
    for (const deadline = performance.now() + recordMs; ; await delay(100)) {
      const progress = await checkLab(target, lab, entry)
      const { missing = [] } = progress.find(({ step: { heading } }) => heading === step) ?? {}
      if (!missing.some(({ kind }) => kind === 'never-tried') || performance.now() > deadline) return progress
    }
  }

  /** The page's command for this target: its state folder, its ports, and a folder of its own for what it keeps in the home folder. */
  #asHere(line: string): string {
    const typed = line
      .replace(/(?<![\w./])~\//g, () => `${quoted(path.dirname(this.#stateDir))}/`)
      .replaceAll('.bulkhead/', `${this.#stateDir}/`)
      .replace(/\bnpx bulkhead ([a-z]+)/g, (_all, command) => {
        const words = [process.execPath, bin, command, ...this.#stateOf(command)]
        return words.map(quoted).join(' ')
      })
    return this.#published().reduce((text, [onThePage, here]) => text.replaceAll(onThePage, here), typed)
  }

  #stateOf(command: string): readonly string[] {
    return readsFiles.includes(command) ? [] : ['--state', this.#stateDir]
  }

  #asOnThePage(text: string): string {
    const said = text.replaceAll(` --state ${this.#stateDir}`, '').replaceAll(` --state ${quoted(this.#stateDir)}`, '')
    return this.#published().reduce((all, [onThePage, here]) => all.replaceAll(here, onThePage), said)
  }

  /** Where the pages reach each published Service, and where it is here. */
  #published(): readonly (readonly [onThePage: string, here: string])[] {
    return [...this.#ports].map(([service, url]) => {
      const port = pagePorts[service] ?? assert.fail(`the labs know no port of ${service}`)
      return [`http://127.0.0.1:${port}`, url]
    })
  }
}

/**
 * The words of a line that is a command of ours and has nothing of a shell's, nor a place that is another one here: run in this
 * process it prints the same, and a page has fifty whose start would be most of their time. None for any other line, nor for
 * `exec`, whose program writes where this process does: those are typed in a shell, and with BULKHEAD_LONG all are.
 */
export function ownWords(line: string): readonly string[] {
  const [, words = ''] = /^npx bulkhead ((?!exec )[a-z]+(?: +[\w./:=,@-]+)*)$/.exec(line) ?? []
  return words === '' || /\.bulkhead\/|127\.0\.0\.1/.test(words) ? [] : words.split(/ +/)
}

/** Commands that ask files and no target. */
const readsFiles = ['diff', 'matrix', 'verdict']

/** The pinned ports of the gateways' Services. */
const pagePorts: Readonly<Record<string, number>> = {
  'shop/shop-gateway-istio': 30080,
  'demo/hello-gateway-istio': 30081,
  'gthulhu/gthulhu-gw-istio': 30450,
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
