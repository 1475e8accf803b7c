/*
 * Preloaded into every process that the supervisor starts. Descriptor 3 is a pipe from the supervisor that carries
 * nothing: when the supervisor ends, by whatever way, the kernel closes it, and this process ends with its group.
 * CommonJS, since --require starts faster than --import; without imports, since it is no module of this package.
 */
{
  const { Socket } = process.getBuiltinModule('node:net')
  const { isMainThread } = process.getBuiltinModule('node:worker_threads')

  const end = (): void => {
    try {
      process.kill(-process.pid, 'SIGKILL')
    } catch {
      process.kill(process.pid, 'SIGKILL')
    }
  }

  if (isMainThread && process.env.BULKHEAD_LIFELINE === '3') {
    // A child of this process inherits the environment, but not the pipe; its group is this one, so it ends as well.
    delete process.env.BULKHEAD_LIFELINE
    const line = new Socket({ fd: 3, readable: true, writable: false })
    line.on('error', end).on('close', end)
    line.resume()
    line.unref()
  }
}
