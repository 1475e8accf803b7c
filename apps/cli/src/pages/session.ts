import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { ControlClient } from '@bulkhead/control'
import { compareOutput, type LabCommand, readConsole } from '@bulkhead/labs'
import { bulkhead, root } from '../target/testing.js'
import { curlPath } from './curl.js'
import { inShell } from './shell.js'

/** The commands of a page of docs/, and what each prints: its `console` blocks. */
export function commandsOf(page: string): readonly LabCommand[] {
  const text = readFileSync(path.join(root, page), 'utf8')
  return [...text.matchAll(/^```console\n([\s\S]*?)^```$/gm)].flatMap(({ 1: block = '', index }) => {
    const before = text.slice(0, index).split('\n').length
    return readConsole(block.trimEnd(), before + 1, (line, message) => assert.fail(`${page}:${line}: ${message}`))
  })
}

type Place = readonly [onThePage: string, here: string]

/** A terminal in which a page is typed, before a target of its own: what a command puts into a variable, the next ones have. */
export class Session {
  readonly #page: string
  readonly #stateDir: string
  readonly #env: NodeJS.ProcessEnv
  readonly #places: readonly Place[]

  private constructor(page: string, stateDir: string, env: NodeJS.ProcessEnv, places: readonly Place[]) {
    this.#page = page
    this.#stateDir = stateDir
    this.#env = env
    this.#places = places
  }

  /**
   * Brings a target up, on any ports.
   *
   * @param ports the pinned ports that the page names, by Service: `gthulhu/gthulhu-gw-istio`
   */
  static async start(page: string, folder: string, ports: Readonly<Record<string, number>>): Promise<Session> {
    const stateDir = path.join(folder, 'state')
    const { code, stderr } = await bulkhead('up', '--state', stateDir, '--port', '0')
    const { published } = await ControlClient.find(stateDir).status()
    const places = Object.entries(ports).map(([service, port]): Place => {
      const found =
        published.find((one) => one.service === service) ?? assert.fail(`nothing is published for ${service}`)
      return [`http://127.0.0.1:${port}`, found.url]
    })
    const session = new Session(page, stateDir, { ...process.env, PATH: curlPath(folder) }, [
      ...places,
      ['.bulkhead', stateDir],
    ])
    if (code !== 0) {
      await session.stop()
      assert.fail(stderr)
    }
    return session
  }

  stop(): Promise<unknown> {
    return bulkhead('down', '--state', this.#stateDir)
  }

  /** Types a command, and holds what it prints against what the page shows. */
  async type({ line, output, at }: LabCommand): Promise<void> {
    const here = this.#places.reduce((text, [onThePage, place]) => text.replaceAll(onThePage, place), line)
    const [, variable] = /^([A-Z_]+)=/.exec(line) ?? []
    const printed = await inShell(variable === undefined ? here : `${here}\nprintf %s "$${variable}"`, this.#env)
    if (variable !== undefined) {
      assert.notEqual(printed, '', `${this.#page}:${at}: ${variable} is empty`)
      this.#env[variable] = printed
    }
    const said = variable === undefined ? printed : ''
    const shown = this.#places.reduce((text, [onThePage, place]) => text.replaceAll(place, onThePage), said)
    const difference = compareOutput(output, shown)
    if (difference === undefined) return
    const { line: where, expected, actual } = difference
    assert.fail(
      `${this.#page}:${at}: \`${line}\` prints something else\n  on the page: ${expected}\n  here, in line ${where}: ${actual}\nall of it:\n${shown}`,
    )
  }
}
