import type { Stats } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { tooLarge } from '../yaml/documents.js'
import { MAX_FILE_BYTES } from '../yaml/limits.js'

/** Why a path could not be read, as the end of a sentence. */
export class Unreadable extends Error {
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

/** A file's text. Throws Unreadable for anything but a plain file of UTF-8 of a size that is read. */
export async function readText(path: string): Promise<string> {
  const info = await statOf(path)
  // A pipe would be waited for, for ever.
  if (!info.isFile()) throw new Unreadable('file.not-a-file', 'this is neither a file nor a folder')
  if (info.size > MAX_FILE_BYTES) throw new Unreadable('file.too-large', tooLarge(info.size))
  let bytes: Buffer
  try {
    bytes = await readFile(path)
  } catch (error) {
    throw unreadable(error)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw notUtf8(bytes)
  }
}

function notUtf8(bytes: Buffer): Unreadable {
  const [first, second] = bytes
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff))
    return new Unreadable('file.not-utf8', 'the file is UTF-16 text, as PowerShell writes it; save it as UTF-8')
  const line = bytes.toString().split('\ufffd', 1)[0]?.split('\n').length
  return new Unreadable(
    'file.not-utf8',
    `the file is not UTF-8 text; the first bytes that are none stand in line ${line}`,
  )
}

export async function statOf(path: string): Promise<Stats> {
  try {
    return await stat(path)
  } catch (error) {
    throw unreadable(error)
  }
}

export function unreadable(error: unknown): Unreadable {
  const { code, message } = error as NodeJS.ErrnoException
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new Unreadable('file.missing', 'there is no such file or folder')
    case 'EACCES':
    case 'EPERM':
      return new Unreadable('file.no-permission', 'there is no permission to read it')
    case 'ELOOP':
      return new Unreadable('file.loop', 'its symbolic links go round in a circle')
    default:
      return new Unreadable('file.unreadable', `it cannot be read (${code ?? message})`)
  }
}
