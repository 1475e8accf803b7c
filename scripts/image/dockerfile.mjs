/**
 * A Dockerfile's instructions, for tests of this repository's own: comments and blank lines away, continued lines joined.
 * @returns {{ name: string, rest: string, stage: number }[]} `name` in capitals; `stage` -1 before the first FROM
 */
export function instructionsOf(text) {
  let stage = -1
  return text
    .split('\n')
    .filter((line) => !/^\s*#/.test(line) && line.trim() !== '')
    .join('\n')
    .replace(/\\\n\s*/g, ' ')
    .split('\n')
    .map((line) => {
      const [, name, rest] = /^(\S+)\s+(.*)$/.exec(line)
      if (name.toUpperCase() === 'FROM') stage += 1
      return { name: name.toUpperCase(), rest: rest.trim(), stage }
    })
}

/**
 * Whether a path gets into a build, by the lines of a .dockerignore: as Docker reads them, the last line that matches a
 * path or one of the folders that it is in decides; `!` takes back in. Names, `*` within a name and a leading double star
 * are understood, and anything else is an error.
 */
export function contextOf(text) {
  const rules = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, not, anywhere, name] = /^(!?)(\*\*\/)?([\w.*/-]+)$/.exec(line) ?? []
      if (name === undefined || name.includes('**'))
        throw new Error(`.dockerignore: ${line} is more than is understood`)
      const pattern = name.replace(/[.]/g, '\\.').replace(/\*/g, '[^/]*')
      return { takes: not === '!', matches: new RegExp(`^${anywhere ? '(.*/)?' : ''}${pattern}(/|$)`) }
    })
  return (file) => rules.findLast(({ matches }) => matches.test(file))?.takes ?? true
}
