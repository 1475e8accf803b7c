import { pathToFileURL } from 'node:url'
import { inRoot } from './repository.mjs'

/** The command line as it is compiled; nothing is run. */
async function program() {
  const { createProgram } = await import(pathToFileURL(inRoot('apps/cli/dist/program.js')).href)
  const silent = { write: () => true }
  return createProgram({
    stdin: process.stdin,
    stdout: silent,
    stderr: silent,
    cwd: inRoot(),
    env: {},
    colour: false,
    signal: new AbortController().signal,
    exit() {},
  })
}

/**
 * Every `npx bulkhead ...` of a text that is not there: no such command, or not with that option.
 * @returns {Promise<{ typed: number, mistakes: string[] }>} how many there are, and a sentence for each that is wrong
 */
export async function wronglyTyped(content) {
  root ??= await program()
  const typed = [...content.matchAll(/\bnpx bulkhead ([a-z][^\n`|>]*)/g)].map(([, words]) => words)
  return { typed: typed.length, mistakes: typed.flatMap(mistakesOf) }
}

let root

function mistakesOf(typed) {
  // What comes after `--` is another program's.
  const words = typed.split(' -- ')[0].split(/\s+/)
  let command = root
  while (command.commands.length > 0) {
    const word = words.shift()?.replace(/[^a-z-].*$/, '') ?? ''
    const next = command.commands.find((one) => one.name() === word)
    // A group of commands alone is a thing to speak of, with or without its options.
    if (next === undefined && command !== root && !/^[a-z]/.test(word)) break
    if (next === undefined) return [`\`npx bulkhead ${typed.trim()}\`: no command ${word}`]
    command = next
  }
  const options = words.join(' ').match(/(?<![\w-])--[a-z-]+/g) ?? []
  const unknown = options.find((option) => option !== '--help' && !command.options.some(({ long }) => long === option))
  return unknown === undefined ? [] : [`\`npx bulkhead ${typed.trim()}\`: ${command.name()} has no ${unknown}`]
}
