import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

/** A file that the page is made of. */
export interface Asset {
  readonly path: string
  readonly type: string
  readonly body: string
}

export interface Assets {
  readonly all: readonly Asset[]
  /** Style sheets, in order: what comes later may say otherwise. */
  readonly styles: readonly string[]
  readonly icon: string
  /** The module that begins. */
  readonly main: string
  /** All modules but that one: a browser need not find them out one after the other. */
  readonly modules: readonly string[]
  /** Where the names of packages lead, as an import map has it. */
  readonly imports: Readonly<Record<string, string>>
}

/** What the client's modules import by name: served as the package has it. */
const PACKAGES = ['preact', 'preact/hooks', 'preact/jsx-runtime'] as const

const STYLES = ['base', 'frame', 'boxes', 'buttons', 'forms', 'tables', 'folds', 'narrow'] as const

const SCRIPT = 'text/javascript; charset=utf-8'
const MAIN = 'app/main.js'

/**
 * The client as it was compiled, the parts of Preact that it uses, the style sheets and the icon; below a folder whose name changes with any of
 * them, so that each may be kept for ever. Read once, at the start: a missing file is a start that fails, not a page that does not.
 */
export function readAssets(): Assets {
  const client = fileURLToPath(new URL('./client/', import.meta.url))
  const files: { readonly name: string; readonly type: string; readonly file: string }[] = [
    ...modulesBelow(client).map((name) => ({ name: `app/${name}`, type: SCRIPT, file: path.join(client, name) })),
    ...PACKAGES.map((name) => ({
      name: `packages/${name.replace('/', '-')}.js`,
      type: SCRIPT,
      file: fileURLToPath(import.meta.resolve(name)),
    })),
    ...STYLES.map((name) => ({
      name: `styles/${name}.css`,
      type: 'text/css; charset=utf-8',
      file: shipped(`styles/${name}.css`),
    })),
    { name: 'icon.svg', type: 'image/svg+xml', file: shipped('icon.svg') },
  ]
  const read = files.map(({ name, type, file }) => ({ name, type, body: withoutMap(readFileSync(file, 'utf8')) }))
  const hash = createHash('sha256')
  for (const { name, body } of read) hash.update(`${name} ${Buffer.byteLength(body)}\n${body}`)
  const folder = `/assets/${hash.digest('hex').slice(0, 12)}`
  const all = read.map(({ name, type, body }) => ({ path: `${folder}/${name}`, type, body }))
  const main = `${folder}/${MAIN}`
  if (!all.some((asset) => asset.path === main)) throw new Error(`the web page is not built: ${client} has no main.js`)
  return {
    all,
    main,
    styles: STYLES.map((name) => `${folder}/styles/${name}.css`),
    icon: `${folder}/icon.svg`,
    modules: all.filter((asset) => asset.type === SCRIPT && asset.path !== main).map((asset) => asset.path),
    imports: Object.fromEntries(PACKAGES.map((name) => [name, `${folder}/packages/${name.replace('/', '-')}.js`])),
  }
}

const shipped = (name: string): string => fileURLToPath(new URL(`../../assets/${name}`, import.meta.url))

/** Source maps are not served: a browser that has its tools open would ask for them, and be told 404. */
const withoutMap = (text: string): string => text.replace(/\n?\/\/# sourceMappingURL=\S+\s*$/, '\n')

/** The names of all modules below a folder, with `/` between their parts, in order. */
function modulesBelow(folder: string, within = ''): readonly string[] {
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const name = `${within}${entry.name}`
      if (entry.isDirectory()) return modulesBelow(path.join(folder, entry.name), `${name}/`)
      return entry.name.endsWith('.js') ? [name] : []
    })
}
