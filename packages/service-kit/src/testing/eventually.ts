/** What `look` finds, as soon as it finds something; an error that says `what` once the time is over. */
export async function eventually<T>(
  look: () => T | undefined | false | Promise<T | undefined | false>,
  what: string,
  ms = 15_000,
): Promise<T> {
  for (const deadline = performance.now() + ms; performance.now() < deadline; ) {
    const seen = await look()
    if (seen !== undefined && seen !== false) return seen
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  throw new Error(`not seen within ${ms} ms: ${what}`)
}
