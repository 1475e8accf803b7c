import path from 'node:path'

/** What Node loads, and the terms under which it may be passed on. The rest is for people, compilers and debuggers. */
const loaded = /\.([cm]?js|json|node|wasm)$/
const licence = /(^|\/)(licen[cs]e|notice|copying)[^/]*$/i

/** What packages carry along for those who work on them. */
const workshop = /^(__tests__|bench|benchmarks?|coverage|docs?|examples?|fixtures|specs?|tests?)\//i
const testFile = /\.(test|spec)\.[cm]?js$/

/** Of a package that others made: whether a file, by its path in it, is part of what runs. */
export function runsInPackage(file) {
  if (workshop.test(file) || testFile.test(file) || /(^|\/)\./.test(file)) return false
  return loaded.test(file) || licence.test(file)
}

/** Of a folder of compiled files that are served, not imported: whether a file is one of them, and not a test of one. */
export const isServed = (file) => /\.[cm]?js$/.test(file) && !testFile.test(file)

/** A path as it is written in a package, whatever the system. */
export const slashed = (file) => file.split(path.sep).join('/')
