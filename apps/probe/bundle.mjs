import { join } from 'node:path'
import process from 'node:process'
import { build } from 'esbuild'

/*
 * Writes the program, with all that it needs but Node, as one file: dist/probe.mjs, or the file that is named. Part of the build, after
 * the compiler; it is no part of the program.
 */

const dist = join(import.meta.dirname, 'dist')

/** Packages that drivers ask for where they are installed, and do without. */
const optional = [
  ...['pg-native', 'kerberos', '@mongodb-js/zstd', '@aws-sdk/credential-providers', 'gcp-metadata', 'snappy', 'socks'],
  ...['aws4', 'mongodb-client-encryption', 'pg-cloudflare'],
]

await build({
  entryPoints: [join(dist, 'one-file.js')],
  outfile: process.argv[2] ?? join(dist, 'probe.mjs'),
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
