import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { BundleError } from './errors.js'
import { BLOCK, END, headerOf, MAX_RECORD, paddingOf, readHeader, readRecord } from './tar-format.js'

const CHUNK = 1024 * 1024

/** A file of an archive: where it is now, or its text. */
export interface Packed {
  readonly path: string
  readonly size: number
  readonly from: { readonly file: string } | { readonly text: string }
}

/**
 * Writes an archive. What it needs of memory does not depend on the files' sizes.
 * @returns the archive's SHA-256 in hex
 * @throws BundleError `contents` when a file is not as long as it was said to be; the signal's reason
 */
export async function writeArchive(target: string, files: readonly Packed[], signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256')
  const handle = await open(target, 'wx', 0o644)
  const write = async (data: Buffer): Promise<void> => {
    signal?.throwIfAborted()
    hash.update(data)
    for (let at = 0; at < data.length; ) at += (await handle.write(data, at)).bytesWritten
  }
  try {
    for (const file of files) {
      await write(headerOf(file.path, file.size))
      let written = 0
      for await (const chunk of contentOf(file)) {
        written += chunk.length
        await write(chunk)
      }
      if (written !== file.size)
        throw new BundleError('contents', `"${file.path}" changed while it was being packed. Make the bundle again.`)
      await write(Buffer.alloc(paddingOf(file.size)))
    }
    await write(END)
    await handle.sync()
  } finally {
    await handle.close()
  }
  return hash.digest('hex')
}

function contentOf({ from }: Packed): AsyncIterable<Buffer> | readonly Buffer[] {
  return 'text' in from ? [Buffer.from(from.text)] : createReadStream(from.file, { highWaterMark: CHUNK })
}

/** A file's SHA-256 in hex, and its size. @throws the signal's reason */
export async function digestOf(
  file: string,
  signal?: AbortSignal,
): Promise<{ readonly sha256: string; readonly size: number }> {
  const hash = createHash('sha256')
  let size = 0
  for await (const chunk of createReadStream(file, { highWaterMark: CHUNK })) {
    signal?.throwIfAborted()
    hash.update(chunk)
    size += chunk.length
  }
  return { sha256: hash.digest('hex'), size }
}

/** Reads an archive from its beginning to its end, once. What is no regular file is refused, whatever it is. */
export class ArchiveReader {
  readonly #name: string
  readonly #handle: FileHandle
  readonly #length: number
  /** Where the next header is. */
  #next = 0

  private constructor(name: string, handle: FileHandle, length: number) {
    this.#name = name
    this.#handle = handle
    this.#length = length
  }

  /** @throws BundleError `unreadable` */
  static async open(file: string): Promise<ArchiveReader> {
    let handle: FileHandle | undefined
    try {
      handle = await open(file, 'r')
      const stat = await handle.stat()
      if (!stat.isFile()) throw new Error('it is no file')
      return new ArchiveReader(file, handle, stat.size)
    } catch (error) {
      await handle?.close()
      const why = error instanceof Error ? error.message : String(error)
      throw new BundleError('unreadable', `"${file}" cannot be read (${why}).`)
    }
  }

  close(): Promise<void> {
    return this.#handle.close()
  }

  /** The next file, or undefined at the end. @throws BundleError `damaged`, or `not-a-bundle` where already the first is none */
  async next(): Promise<
    { readonly path: string; readonly size: number; content(): AsyncGenerator<Buffer> } | undefined
  > {
    const first = this.#next === 0
    const record = await this.#header(first)
    if (record === 'end') return this.#ended()
    if (record.type !== 'x') return this.#file(record.path, record)
    if (record.size > MAX_RECORD) throw this.#damaged(`has a record of ${record.size} bytes before a file`)
    const path = readRecord(await this.#read(this.#next, record.size))
    if (path === undefined) throw this.#damaged('has a record before a file that says more than its name')
    this.#next += record.size + paddingOf(record.size)
    const header = await this.#header(first)
    if (header === 'end') throw this.#damaged('ends after the name of a file')
    return this.#file(path, header)
  }

  async #header(first: boolean): Promise<Exclude<ReturnType<typeof readHeader>, undefined>> {
    const tooShort = first && this.#length < BLOCK
    const header = tooShort ? undefined : readHeader(await this.#read(this.#next, BLOCK))
    if (header === undefined)
      throw first
        ? new BundleError('not-a-bundle', `"${this.#name}" is not a bundle; \`npx bulkhead cluster bundle\` makes one.`)
        : this.#damaged('is damaged')
    this.#next += BLOCK
    return header
  }

  #file(path: string, { type, size }: { readonly type: string; readonly size: number }) {
    if (type !== '0') throw this.#damaged(`has ${kindOf(type)}, ${JSON.stringify(path)}, where only files belong,`)
    const at = this.#next
    if (at + size > this.#length) throw this.#damaged('is cut off')
    this.#next = at + size + paddingOf(size)
    return { path, size, content: () => this.#content(at, size) }
  }

  async *#content(at: number, size: number): AsyncGenerator<Buffer> {
    for (let done = 0; done < size; ) {
      const chunk = await this.#read(at + done, Math.min(CHUNK, size - done))
      done += chunk.length
      yield chunk
    }
  }

  /** After the end there are at most the zeros that `tar` fills its last record with. */
  #ended(): undefined {
    if (this.#length - this.#next > 20 * BLOCK) throw this.#damaged('goes on after its end')
    return undefined
  }

  async #read(at: number, length: number): Promise<Buffer> {
    const data = Buffer.alloc(length)
    for (let done = 0; done < length; ) {
      const { bytesRead } = await this.#handle.read(data, done, length - done, at + done)
      if (bytesRead === 0) throw this.#damaged('is cut off')
      done += bytesRead
    }
    return data
  }

  #damaged(what: string): BundleError {
    return new BundleError('damaged', `"${this.#name}" ${what} and is not used. Get it again, or make it again.`)
  }
}

const kinds: Readonly<Record<string, string>> = {
  '1': 'a hard link',
  '2': 'a symbolic link',
  '3': 'a character device',
  '4': 'a block device',
  '5': 'a folder',
  '6': 'a pipe',
}
const kindOf = (type: string): string => kinds[type] ?? 'something'
