import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { readPage } from './page.js'
import { type Lab, LabError, type Language } from './types.js'

/** `docs/labs` of a clone. */
export const labsFolder = (root: string): string => path.join(root, 'docs', 'labs')

const pageName = (language: Language): string => (language === 'en' ? 'README.md' : `README.${language}.md`)

/**
 * Every lab, in a language; in English where it is not written in that one.
 * @param root the clone
 * @throws LabError with everything that is wrong with their pages
 */
export async function loadLabs(root: string, language: Language): Promise<readonly Lab[]> {
  const folder = labsFolder(root)
  const names = await readdir(folder).catch(() => [])
  return Promise.all(
    names
      .filter((name) => /^\d\d-/.test(name))
      .sort()
      .map((name) => readLab(root, name, language)),
  )
}

async function readLab(root: string, name: string, language: Language): Promise<Lab> {
  const file = path.posix.join('docs', 'labs', name, pageName(language))
  try {
    return readPage(await readFile(path.join(root, file), 'utf8'), file)
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    if (missing && language !== 'en') return readLab(root, name, 'en')
    if (missing) throw new LabError([{ file, line: 1, message: 'there is no such page' }])
    throw error
  }
}

/** A lab by its number (`01`, `1`) or its name (`01-who-may-call`, `who-may-call`). */
export function findLab(labs: readonly Lab[], asked: string): Lab | undefined {
  const id = /^\d$/.test(asked) ? `0${asked}` : asked
  return labs.find((lab) => lab.id === id || lab.name === asked || lab.name === `${lab.id}-${asked}`)
}

/** What somebody reads: `zh_TW.UTF-8`, `zh-Hant-TW` and their like are Chinese as written in Taiwan. */
export function languageOf(env: Readonly<Record<string, string | undefined>>): Language {
  const locale = env.LC_ALL || env.LC_MESSAGES || env.LANG || ''
  return /^zh([-_](Hant|TW|HK|MO))/i.test(locale) ? 'zh-TW' : 'en'
}
