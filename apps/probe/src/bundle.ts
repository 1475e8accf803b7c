import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** Packages that drivers ask for where they are installed, and do without. */
const optional = [
  ...['pg-native', 'kerberos', '@mongodb-js/zstd', '@aws-sdk/credential-providers', 'gcp-metadata', 'snappy', 'socks'],
  ...['aws4', 'mongodb-client-encryption', 'pg-cloudflare'],
]

/** Writes the program, with all that it needs but Node, as one file. */
export async function bundle(outfile: string): Promise<void> {
  await build({
    entryPoints: [join(import.meta.dirname, 'one-file.js')],
    outfile,
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    external: optional,
    // What is CommonJS in it asks for Node's own modules so. A program on stdin has no file, and so no folder of its own.
    banner: {
      js: "import{createRequire as bulkheadRequire}from'node:module';const require=bulkheadRequire('file:///');",
    },
    legalComments: 'none',
    logLevel: 'warning',
  })
}

const [, self] = process.argv
if (self !== undefined && resolve(self) === fileURLToPath(import.meta.url))
  await bundle(join(import.meta.dirname, 'probe.mjs'))
