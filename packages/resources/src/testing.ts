import assert from 'node:assert/strict'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { temporaryFolder } from '@bulkhead/testing'
import { parseManifests } from './parse.js'
import type { Diagnostic, Resource } from './types.js'

/* For tests only. */

/** `error field.unknown 4:3`, for each thing that is wrong, in the order found. */
export function problems(text: string): string[] {
  return parseManifests(text, 'test.yaml').diagnostics.map(short)
}

export const short = ({ severity, code, at }: Diagnostic): string => `${severity} ${code} ${at.line}:${at.column}`

/** The one object of a text that has nothing wrong. */
export function only(text: string): Resource {
  const { resources, diagnostics } = parseManifests(text, 'test.yaml')
  assert.deepEqual(diagnostics.map(short), [])
  const [resource, second] = resources
  assert.ok(resource !== undefined && second === undefined, `one object, and not ${resources.length}`)
  return resource
}

/** A folder with these files, gone after the test. A value that begins with `->` is a symbolic link. */
export async function folder(test: TestContext, files: Readonly<Record<string, string>>): Promise<string> {
  const root = temporaryFolder(test)
  for (const [name, text] of Object.entries(files)) {
    const path = join(root, name)
    await mkdir(dirname(path), { recursive: true })
    if (text.startsWith('->')) await symlink(text.slice(2), path)
    else await writeFile(path, text)
  }
  return root
}
