/**
 * Does `work` for each, so many at a time, in the order in which they come. Begins nothing more once the signal says so; what was begun
 * is waited for. Rejects with the first failure, when all that was begun is through.
 */
export async function each<T>(
  items: Iterable<T>,
  parallel: number,
  signal: AbortSignal,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const left = items[Symbol.iterator]()
  let failed: { readonly error: unknown } | undefined
  const worker = async (): Promise<void> => {
    while (!signal.aborted && failed === undefined) {
      const next = left.next()
      if (next.done) return
      try {
        await work(next.value)
      } catch (error) {
        failed ??= { error }
      }
    }
  }
  await Promise.all(Array.from({ length: parallel }, worker))
  if (failed !== undefined) throw failed.error
}
