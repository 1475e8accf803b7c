import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { reading } from './reading.mjs'

/** So many files a process: enough to share its start, and few enough that there is work for every core. */
const size = 8

const workspaceOf = (file) => file.match(/^(packages|apps)[\\/][^\\/]+/)?.[0]

/**
 * Node's runner starts a process for each file; where tests are of functions, data or servers in their own process, that start
 * is most of their time, so those of one workspace run some files a process, one after the other. Their names and places are
 * told as ever.
 *
 * The runner takes what it is given in this order. What uses the most comes first, so that what is left at the end is short;
 * and a group comes behind each of those, so that whole targets do not all run beside each other.
 * @param files relative to `root`
 * @param root of the repository
 * @param folder where the files that stand for a group are written
 * @returns what to run: single files, and groups as absolute paths
 */
export function grouped(files, { root, folder }) {
  const { mayShare, weight } = reading(root)
  const weights = new Map(files.map((file) => [file, weight(path.join(root, file))]))
  // What is of no workspace is about the whole repository: it builds, and starts what is built.
  const weighed = (file) => (workspaceOf(file) === undefined ? Number.POSITIVE_INFINITY : weights.get(file))
  const heaviest = (a, b) => weighed(b) - weighed(a)
  const sharing = files.filter((file) => workspaceOf(file) !== undefined && mayShare(path.join(root, file)))
  const groups = [...new Set(sharing.map(workspaceOf))].flatMap((workspace) => {
    const own = sharing.filter((file) => workspaceOf(file) === workspace).sort(heaviest)
    const count = Math.ceil(own.length / size)
    // Every nth, so that heavy ones are in different groups.
    return Array.from({ length: count }, (_, at) => own.filter((_file, index) => index % count === at))
      .filter((group) => group.length > 1)
      .map((group, at) => ({
        group,
        file: path.join(folder, `${workspace.replace(path.sep, '-')}-${at + 1}.test.mjs`),
      }))
  })
  if (groups.length > 0) mkdirSync(folder, { recursive: true })
  for (const { group, file } of groups) writeFileSync(file, together(group.map((one) => path.join(root, one))))
  const shared = new Set(groups.flatMap(({ group }) => group))
  const single = files.filter((file) => !shared.has(file)).sort(heaviest)
  return Array.from({ length: Math.max(single.length, groups.length) }, (_, at) => [single[at], groups[at]?.file])
    .flat()
    .filter((file) => file !== undefined)
}

/** One test file that has the tests of several. */
function together(files) {
  const start = new URL('./shared-process.mjs', import.meta.url).href
  const imports = files.map((file) => `import ${JSON.stringify(pathToFileURL(file).href)}\n`)
  return `import { loaded } from ${JSON.stringify(start)}\n${imports.join('')}loaded()\n`
}
