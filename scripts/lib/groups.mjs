import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

/** So many files a process: enough to share its start, and few enough that there is work for every core. */
const size = 8

/**
 * Node's runner starts a process for each file; where tests are of functions and data alone that start is most of their
 * time, so those of one workspace run some files a process, one after the other. Their names and places are told as ever.
 * @param files relative to `root`
 * @param workspaces whose tests may share a process: nothing of it is theirs, neither its environment nor its handlers
 * @param alone files of theirs that take as long as a group
 * @param folder where the files that stand for a group are written
 * @returns what to run: single files, and groups as absolute paths
 */
export function grouped(files, { root, workspaces, alone = [], folder }) {
  const groups = workspaces.flatMap((workspace) => {
    const own = files.filter(
      (file) => file.startsWith(`${path.normalize(workspace)}${path.sep}`) && !alone.includes(file),
    )
    const count = Math.ceil(own.length / size)
    // Every nth, so that those of one kind, which take alike long, are in different groups.
    return Array.from({ length: count }, (_, at) => own.filter((_file, index) => index % count === at))
      .filter((group) => group.length > 1)
      .map((group, at) => ({ group, file: path.join(folder, `${path.basename(workspace)}-${at + 1}.test.mjs`) }))
  })
  const shared = new Set(groups.flatMap(({ group }) => group))
  if (groups.length > 0) mkdirSync(folder, { recursive: true })
  for (const { group, file } of groups) {
    const urls = group.map((one) => pathToFileURL(path.join(root, one)).href)
    writeFileSync(file, urls.map((url) => `import ${JSON.stringify(url)}\n`).join(''))
  }
  return [...groups.map(({ file }) => file), ...files.filter((file) => !shared.has(file))]
}
