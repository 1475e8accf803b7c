import { Failure } from '../lib/failure.mjs'

/** Docker's names of architectures, and npm's. */
const cpus = { amd64: 'x64', arm64: 'arm64' }

/** What an image is for, in npm's words, from what Docker calls it (`TARGETARCH`). */
export function imageTarget(architecture) {
  const cpu = Object.hasOwn(cpus, architecture) ? cpus[architecture] : undefined
  if (cpu === undefined)
    throw new Failure(`Images are made for ${Object.keys(cpus).join(' and ')}, not for "${architecture ?? ''}".`)
  return { os: 'linux', cpu, libc: 'glibc' }
}

/** This machine, in the same words. */
export function ownTarget() {
  const musl = process.platform === 'linux' && process.report.getReport().header.glibcVersionRuntime === undefined
  const libc = process.platform === 'linux' ? { libc: musl ? 'musl' : 'glibc' } : {}
  return { os: process.platform, cpu: process.arch, ...libc }
}
