import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Pins } from '../pins.js'
import type { Place } from '../place.js'
import { type Chart, chartsOf, sourceOf } from '../plan/charts.js'
import { commandsFor } from '../plan/commands.js'
import { buildOf, imagesOf } from '../plan/images.js'
import { gatewayApiUrl } from '../plan/platform.js'
import { ActionError, endedWith } from '../run-action.js'
import type { Command, CommandResult, RunOptions, Tools } from '../tools.js'
import { BundleError } from './errors.js'
import { byDigest, ChartImages, withoutDigest } from './images.js'

const MINUTE = 60_000

/** What is fetched and built for a bundle, each by the program that would have fetched it for a cluster. */
export class Fetcher {
  readonly #tools: Tools
  readonly #place: Place
  readonly #pins: Pins
  readonly #run: RunOptions
  readonly #each: (what: string) => void

  constructor(
    tools: Tools,
    place: Place,
    pins: Pins,
    { signal, each }: { readonly signal: AbortSignal | undefined; readonly each: (what: string) => void },
  ) {
    this.#tools = tools
    this.#place = place
    this.#pins = pins
    this.#each = each
    this.#run = signal === undefined ? {} : { signal }
  }

  /** What the bundle is made with. */
  async versions(): Promise<Readonly<Record<string, string>>> {
    const ask = async (command: Command): Promise<string> => (await this.#must(command)).stdout.trim()
    const { docker, helm } = this.#commands
    return {
      docker: await ask(docker(['version', '--format', '{{.Server.Version}}'], 1)),
      buildx: await ask(docker(['buildx', 'version'], 1)),
      helm: await ask(helm(['version', '--short'], 1)),
      npm: await ask({ tool: 'npm', args: ['--version'], timeoutMs: MINUTE }),
      node: process.version,
    }
  }

  get #commands() {
    return commandsFor(this.#place)
  }

  async chart(chart: Chart, target: string): Promise<void> {
    const folder = dirname(target)
    await this.#must(this.#commands.helm(['pull', ...sourceOf(chart), '--destination', folder], 5))
    renameSync(join(folder, `${chart.chart}-${chart.version}.tgz`), target)
  }

  async gatewayApi(target: string): Promise<void> {
    const args = ['--fail', '--silent', '--show-error', '--location', '--retry', '3', '--output', target]
    await this.#must({ tool: 'curl', args: [...args, gatewayApiUrl(this.#pins)], timeoutMs: 5 * MINUTE })
    if (existsSync(target) && /^kind: CustomResourceDefinition$/m.test(readFileSync(target, 'utf8'))) return
    throw new BundleError(
      'contents',
      `what ${gatewayApiUrl(this.#pins)} answered has no definitions in it: is there a page in between that asks to log in?`,
    )
  }

  /**
   * The images that nodes need, each once, by digest where a chart says it: of the charts, as helm renders them with our values, and of the
   * pins.
   */
  async images(fileOf: (chart: Chart) => string): Promise<readonly string[]> {
    const found = new Set<string>(this.#pins.images)
    for (const chart of Object.values(chartsOf(this.#pins)) as readonly Chart[]) {
      const named = await this.#render(chart, fileOf(chart), chart.values)
      for (const image of named) found.add(image)
      const loaded =
        chart.bundleValues === undefined
          ? named
          : await this.#render(chart, fileOf(chart), [...chart.values, ...chart.bundleValues])
      const still = loaded.find((image) => withoutDigest(image) !== image)
      if (still !== undefined)
        throw new BundleError(
          'contents',
          `chart ${chart.name} names ${still} by its digest, by which no node knows an image that was loaded from a file. Switch it off in k8s/platform/helm, as cilium-bundle.yaml does.`,
        )
      if (String(loaded) !== String([...new Set(named.map(withoutDigest))].sort()))
        throw new BundleError('contents', `chart ${chart.name} runs other images with the values for bundles.`)
    }
    // Of an image that is named both ways the digest says more.
    const all = [...found]
    return all.filter((image) => !all.some((other) => other !== image && withoutDigest(other) === image)).sort()
  }

  async #render(chart: Chart, file: string, values: readonly string[]): Promise<readonly string[]> {
    const { name, namespace } = chart
    const images = new ChartImages(name)
    const said: string[] = []
    const args = ['template', name, file, '--namespace', namespace, ...values.flatMap((one) => ['--values', one])]
    await this.#must(this.#commands.helm([...args, '--kube-version', this.#pins.kubernetes, '--skip-tests'], 2), {
      linesOnly: true,
      onLine: (line, stream) => {
        if (stream === 'stdout') images.line(line)
        else said.push(line)
      },
    }).catch((error: unknown) => {
      // Of a command whose lines are only told nothing is kept.
      if (!(error instanceof ActionError)) throw error
      throw new ActionError(error.message, { ...error.result, stderr: said.slice(-20).join('\n') })
    })
    return images.end()
  }

  /** Fetches or builds images for a platform and saves them in one archive, under their tags. */
  async save(images: readonly string[], platform: string, target: string): Promise<void> {
    const { docker } = this.#commands
    const ours = new Set(imagesOf(this.#pins).built)
    for (const image of images) {
      this.#each(withoutDigest(image))
      if (ours.has(image)) {
        await this.#must(buildOf(this.#commands, image, platform))
        continue
      }
      await this.#must(docker(['pull', '--platform', platform, image], 30))
      const digest = byDigest(image)
      if (digest !== undefined) await this.#must(docker(['image', 'tag', digest, withoutDigest(image)], 1))
    }
    const tags = images.map(withoutDigest)
    await this.#must(docker(['image', 'save', '--platform', platform, '--output', target, ...tags], 20))
  }

  /**
   * Everything that `npm ci` takes in this clone, for machines with these processors, Linux and macOS: and the proof that it needs nobody.
   * @returns nothing; the folder is npm's own cache
   */
  async npmCache(cpus: readonly string[], cache: string): Promise<void> {
    const clone = `${cache}.clone`
    copyPackages(this.#place.root, clone)
    const ci = (...more: readonly string[]): Command => ({
      tool: 'npm',
      args: ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--cache', cache, ...more],
      cwd: clone,
      timeoutMs: 15 * MINUTE,
    })
    for (const cpu of cpus)
      for (const system of [
        ['--os', 'darwin'],
        ['--os', 'linux', '--libc', 'glibc'],
      ])
        await this.#must(ci('--cpu', cpu, ...system))
    await this.#must(ci('--offline'))
    for (const other of ['_logs', '_update-notifier-last-checked', '_cacache/tmp'])
      rmSync(join(cache, other), { recursive: true, force: true })
  }

  /** By whose address npm finds things in its cache; without a name and a password in it. */
  async npmRegistry(): Promise<string> {
    const command: Command = { tool: 'npm', args: ['config', 'get', 'registry'], timeoutMs: MINUTE, secret: true }
    const url = new URL((await this.#must(command)).stdout.trim())
    url.username = ''
    url.password = ''
    return url.href
  }

  async #must(command: Command, options: RunOptions = {}): Promise<CommandResult> {
    const result = await this.#tools.run(command, { ...this.#run, ...options })
    if (result.code === 0) return result
    throw new ActionError(endedWith(result), result)
  }
}

/** What npm reads of a clone: the lockfile, and the package.json of each workspace that it names. */
function copyPackages(root: string, target: string): void {
  const lock: { readonly packages?: Readonly<Record<string, unknown>> } = JSON.parse(
    readFileSync(join(root, 'package-lock.json'), 'utf8'),
  )
  const folders = Object.keys(lock.packages ?? {}).filter((path) => !path.includes('node_modules'))
  for (const file of ['package-lock.json', '.npmrc', ...folders.map((folder) => join(folder, 'package.json'))]) {
    mkdirSync(dirname(join(target, file)), { recursive: true })
    writeFileSync(join(target, file), readFileSync(join(root, file)))
  }
}
