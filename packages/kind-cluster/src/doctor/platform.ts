import { release } from 'node:os'

/** What kind of machine this is: what is missing is got in another way on each. */
export type Platform = 'linux' | 'macos' | 'wsl'

/** The kernel of Windows' Linux says so itself. Whatever is no macOS is taken for Linux. */
export function platformOf(platform: NodeJS.Platform = process.platform, kernel: string = release()): Platform {
  if (platform === 'darwin') return 'macos'
  return /microsoft/i.test(kernel) ? 'wsl' : 'linux'
}
