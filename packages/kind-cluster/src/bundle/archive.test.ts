import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '@bulkhead/testing'
import { ArchiveReader, writeArchive } from './archive.js'
import { BLOCK, END, headerOf, paddingOf } from './tar-format.js'
import { filesIn, sha256 } from './testing.js'

const long = `npm-cache/_cacache/content-v2/sha512/ab/cd/${'e'.repeat(124)}`
const texts: Readonly<Record<string, string>> = { one: 'first', 'a/b/two': '', [long]: 'x'.repeat(3 * BLOCK + 1) }
const packed = Object.entries(texts).map(([path, text]) => ({ path, size: text.length, from: { text } }))

async function read(file: string): Promise<Record<string, string>> {
  const archive = await ArchiveReader.open(file)
  const found: Record<string, string> = {}
  try {
    for (let entry = await archive.next(); entry !== undefined; entry = await archive.next()) {
      const chunks: Buffer[] = []
      for await (const chunk of entry.content()) chunks.push(chunk)
      found[entry.path] = Buffer.concat(chunks).toString()
    }
  } finally {
    await archive.close()
  }
  return found
}

test('what is packed is read again, and tar unpacks the same, also a part of it', async (t) => {
  const folder = temporaryFolder(t)
  const file = join(folder, 'a.tar')
  const sum = await writeArchive(file, packed)
  assert.equal(sum, sha256(readFileSync(file, 'latin1')))
  assert.deepEqual(await read(file), texts)
  execFileSync('tar', ['-xf', file, '-C', folder, 'npm-cache'])
  assert.deepEqual(filesIn(folder), ['a.tar', long])
  execFileSync('tar', ['-xf', file, '-C', folder])
  for (const [path, text] of Object.entries(texts)) assert.equal(readFileSync(join(folder, path), 'utf8'), text)
})

test('the same files make the same archive; one that is there is not written over', async (t) => {
  const folder = temporaryFolder(t)
  assert.equal(await writeArchive(join(folder, 'a'), packed), await writeArchive(join(folder, 'b'), packed))
  await assert.rejects(writeArchive(join(folder, 'a'), packed), { code: 'EEXIST' })
})

test('a file that grows or shrinks while it is packed is said, and the archive is not whole', async (t) => {
  const folder = temporaryFolder(t)
  const file = join(folder, 'some')
  writeFileSync(file, 'four')
  for (const size of [3, 5])
    await assert.rejects(writeArchive(join(folder, `a${size}`), [{ path: 'some', size, from: { file } }]), {
      code: 'contents',
      message: /"some" changed while it was being packed/,
    })
})

test('what tar writes of files is read, and links, devices and folders are refused by what they are', async (t) => {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'one'), 'first')
  execFileSync('sh', ['-c', 'ln -s /etc/passwd link && ln one hard && mkdir dir && mkfifo pipe'], { cwd: folder })
  const tar = (name: string, ...members: readonly string[]): string => {
    execFileSync('tar', ['--format=ustar', '-cf', name, ...members], { cwd: folder })
    return join(folder, name)
  }
  assert.deepEqual(await read(tar('good.tar', 'one')), { one: 'first' })
  const cases: Readonly<Record<string, RegExp>> = {
    link: /has a symbolic link, "link", where only files belong/,
    hard: /has a hard link, "one"|has a hard link, "hard"/,
    dir: /has a folder, "dir\/"/,
    pipe: /has a pipe, "pipe"/,
  }
  for (const [member, message] of Object.entries(cases))
    await assert.rejects(read(tar(`${member}.tar`, 'one', member === 'hard' ? 'hard' : member)), {
      code: 'damaged',
      message,
    })
})

test('an archive that is cut off anywhere is not taken for whole', async (t) => {
  const folder = temporaryFolder(t)
  const file = join(folder, 'a.tar')
  await writeArchive(file, packed)
  const whole = readFileSync(file)
  for (let length = whole.length - 2 * BLOCK; length >= 0; length -= BLOCK / 2) {
    writeFileSync(file, whole)
    truncateSync(file, length)
    await assert.rejects(read(file), { name: 'BundleError' }, `cut at ${length}`)
  }
})

test('a bit that fell over in a header is seen; so is what is no archive, and what follows the end of one', async (t) => {
  const folder = temporaryFolder(t)
  const file = join(folder, 'a.tar')
  await writeArchive(file, packed)
  const whole = readFileSync(file)
  const second = BLOCK + 'first'.length + paddingOf('first'.length)
  for (const at of [second + 3, second + 130, second + 150]) {
    const damaged = Buffer.from(whole)
    damaged[at] = (damaged[at] ?? 0) ^ 1
    writeFileSync(file, damaged)
    await assert.rejects(read(file), { code: 'damaged', message: /is damaged/ })
  }
  writeFileSync(file, Buffer.concat([whole, Buffer.alloc(64 * BLOCK, 1)]))
  await assert.rejects(read(file), { code: 'damaged', message: /goes on after its end/ })
  writeFileSync(file, 'no archive, but long enough to be one: '.repeat(30))
  await assert.rejects(read(file), { code: 'not-a-bundle' })
  await assert.rejects(read(folder), { code: 'unreadable' })
  await assert.rejects(read(join(folder, 'none')), { code: 'unreadable', message: /ENOENT/ })
})

test('a name that says it is gigabytes long, or more than a name, is refused before it is read', async (t) => {
  const file = join(temporaryFolder(t), 'a.tar')
  const record = headerOf(long, 0).subarray(0, BLOCK)
  const huge = Buffer.from(record)
  huge.write('77777777777', 124, 'latin1')
  huge.write('        ', 148, 'latin1')
  const sum = huge.reduce((all, byte) => all + byte, 0)
  huge.write(`${sum.toString(8).padStart(6, '0')}\u0000 `, 148, 'latin1')
  writeFileSync(file, Buffer.concat([huge, END]))
  await assert.rejects(read(file), { code: 'damaged', message: /has a record of 8589934591 bytes/ })
  const length = 'path='.length + long.length + 5
  writeFileSync(file, Buffer.concat([record, Buffer.from('x'.repeat(length).padEnd(BLOCK, '\0')), END]))
  await assert.rejects(read(file), { code: 'damaged', message: /says more than its name/ })
})
