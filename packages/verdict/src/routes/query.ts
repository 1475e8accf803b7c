/**
 * The first value of a parameter, as it is written: names and values are compared without decoding, as Envoy does.
 * `undefined` when it is not there.
 *
 * @param query with its `?`, or empty
 */
export function queryValue(query: string, name: string): string | undefined {
  let start = 1
  while (start < query.length) {
    let end = query.indexOf('&', start)
    if (end === -1) end = query.length
    if (query.startsWith(name, start)) {
      const after = start + name.length
      if (after === end) return ''
      if (query.charCodeAt(after) === 0x3d && after < end) return query.slice(after + 1, end)
    }
    start = end + 1
  }
  return undefined
}
