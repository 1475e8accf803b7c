const seconds = (since) => `${((performance.now() - since) / 1000).toFixed(1)} s`

/**
 * Says what is being done, and how long it took: `install ... 12.3 s` on one line of a terminal, two lines in a log.
 * A long wait shows that it is alive.
 */
export async function step(title, work, stream = process.stderr) {
  const start = performance.now()
  const live = stream.isTTY
  stream.write(live ? `${title} ...` : `${title} ...\n`)
  const timer = setInterval(
    () => stream.write(live ? `\r${title} ... ${seconds(start)}` : `${title}: ${seconds(start)} so far\n`),
    live ? 500 : 15_000,
  )
  try {
    const result = await work()
    stream.write(`${live ? '\r' : ''}${title}: done in ${seconds(start)}\n`)
    return result
  } catch (error) {
    stream.write(`${live ? '\r' : ''}${title}: failed after ${seconds(start)}\n`)
    throw error
  } finally {
    clearInterval(timer)
  }
}
