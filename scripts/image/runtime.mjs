#!/usr/bin/env node
// Takes Node over into an image that has none: its program from the image of Node's own, and of the libraries that it is
// linked with those that the base lacks. Nothing of either is run: they may be for another processor.
// Usage: node scripts/image/runtime.mjs --node ROOT --base ROOT --out ROOT
import { chmodSync, copyFileSync, existsSync, lstatSync, mkdirSync, readdirSync, realpathSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { Failure, tell } from '../lib/failure.mjs'
import { readElf } from './elf.mjs'

const program = 'usr/local/bin/node'

/**
 * @param options.node the root of a file system that has Node and its libraries
 * @param options.base the root of the one that it is added to
 * @param options.out the root of what is to be added
 * @returns {{ cpu: string, taken: string[] }} paths relative to the root
 */
export function takeOver({ node, base, out }) {
  const file = path.join(node, program)
  if (!existsSync(file)) throw new Failure(`There is no /${program} in the image of Node.`)
  const { cpu } = readElf(file)
  const taken = []
  const take = (from, name, mode) => {
    const to = path.join(out, name)
    mkdirSync(path.dirname(to), { recursive: true })
    copyFileSync(from, to)
    chmodSync(to, mode)
    taken.push(name)
  }
  take(file, program, 0o555)
  for (const wanted = readElf(file).needed; wanted.length > 0; ) {
    const name = wanted.pop()
    if (librariesOf(base, name).length > 0 || taken.some((one) => path.basename(one) === name)) continue
    const [found] = librariesOf(node, name)
    if (found === undefined) throw new Failure(`Node is linked with ${name}, which neither image has.`)
    take(realpathSync(found), path.relative(node, found), 0o444)
    wanted.push(...readElf(found).needed)
  }
  return { cpu, taken }
}

/**
 * Where a library of that name is, in the folders that the loader knows without being told. Those below /usr first: where
 * /lib is a link to them, nothing can be laid over it. A link counts, wherever it leads: here it is not followed from the right root.
 */
function librariesOf(root, name) {
  return ['usr/lib', 'usr/lib64', 'lib', 'lib64']
    .flatMap((folder) => [folder, ...foldersIn(path.join(root, folder)).map((inner) => `${folder}/${inner}`)])
    .filter((folder) => /(^|\/)lib(64)?$|-linux-gnu$/.test(folder))
    .map((folder) => path.join(root, folder, name))
    .filter((file) => lstatSync(file, { throwIfNoEntry: false }) !== undefined)
}

const foldersIn = (folder) => (existsSync(folder) ? readdirSync(folder) : [])

const called = process.argv[1]
if (called !== undefined && import.meta.url === pathToFileURL(called).href) {
  try {
    const text = { type: 'string' }
    const { values } = parseArgs({ options: { node: text, base: text, out: text } })
    if (values.node === undefined || values.base === undefined || values.out === undefined)
      throw new Failure('usage: runtime.mjs --node ROOT --base ROOT --out ROOT')
    const { cpu, taken } = takeOver(values)
    process.stdout.write(`for ${cpu}: ${taken.join(', ')}\n`)
  } catch (error) {
    tell(error)
  }
}
