import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it, test } from 'node:test'
import { inRoot } from '../lib/root.mjs'
import { apps } from './apps.mjs'
import { contextOf, instructionsOf } from './dockerfile.mjs'
import { compiled, containersOfOurs } from './testing.mjs'

const text = (file) => readFileSync(inRoot(file), 'utf8')
const all = instructionsOf(text('Dockerfile.base'))
const stages = all.filter(({ name }) => name === 'FROM').map(({ rest }) => rest)
const within = (stage) => all.filter((one) => one.stage === stages.indexOf(stage))
const only = (stage, name) => {
  const found = within(stage).filter((one) => one.name === name)
  assert.equal(found.length, 1, `${name} of ${stage}`)
  return found[0].rest
}

describe('Dockerfile.base', () => {
  it('builds with what k8s/platform/versions.yaml pins', async () => {
    const { readPins } = await compiled('packages/kind-cluster/dist/pins.js')
    const { node } = readPins(inRoot())
    const given = all.filter(({ stage, name }) => stage === -1 && name === 'ARG').map(({ rest }) => rest)
    assert.deepEqual(given, [`NODE=${node.image}`, `BASE=${node.base}`, 'APP'])
    assert.ok(node.image.includes(`/node:${node.version}-`), 'the image of the version')
  })

  it('starts nothing but from the two images that are pinned', () => {
    const known = new Set(['$NODE', '$BASE', 'image-$APP-'])
    for (const stage of stages) {
      const [, from, name] = /^(?:--platform=\S+ )?(\S+)(?: AS (\S+))?$/.exec(stage)
      assert.ok(known.has(from), stage)
      known.add(name)
    }
    for (const { rest } of all.filter(({ name }) => name === 'COPY' || name === 'RUN'))
      for (const [, from] of rest.matchAll(/(?:--|,)from=([^\s,]+)/g)) assert.ok(known.has(from), rest)
  })

  it('runs nothing of the processor that it builds for', () => {
    for (const { stage, rest } of all.filter(({ name }) => name === 'RUN')) {
      let from = stages[stage]
      for (let base = /^(\S+) AS/.exec(from)?.[1]; base !== undefined; base = /^(\S+) AS/.exec(from)?.[1])
        from = stages.find((one) => one.endsWith(` AS ${base}`)) ?? assert.fail(`${rest} runs in ${from}`)
      assert.match(from, /^--platform=\$BUILDPLATFORM /, rest)
    }
  })

  it('makes the images that the local target has under the same names', async () => {
    const { localImages } = await compiled('packages/local-cluster/dist/images.js')
    const ours = [...localImages].filter(([name]) => name.startsWith('localhost/bulkhead/'))
    assert.deepEqual(ours.map(([name]) => name.split('/').at(-1)).sort(), Object.keys(apps).sort())
    const entrypoint = JSON.parse(only('base AS image', 'ENTRYPOINT'))
    const cmd = JSON.parse(only('base AS image', 'CMD'))
    for (const [name, image] of ours) {
      const stage = `image AS image-${name.split('/').at(-1)}-`
      assert.ok(stages.includes(stage), stage)
      const own = within(stage).slice(1)
      assert.ok(own.every((one) => one.name === 'CMD') && own.length <= 1, stage)
      assert.deepEqual(image.entrypoint, entrypoint, name)
      assert.deepEqual(image.cmd, own.length === 1 ? JSON.parse(own[0].rest) : cmd, name)
      assert.equal(image.env, undefined, `${name}: the Dockerfile sets none`)
    }
    assert.deepEqual(
      stages
        .filter((stage) => stage.startsWith('image AS '))
        .map((stage) => stage.split('image-')[1].slice(0, -1))
        .sort(),
      Object.keys(apps).sort(),
    )
    assert.equal(stages.at(-1), 'image-$APP-')
  })

  it('ends as the user that the manifests name, by number, with Node where they look for it', async () => {
    assert.deepEqual(
      within('base AS image').map(({ name, rest }) => `${name} ${rest}`),
      [
        'FROM base AS image',
        'COPY --from=runtime /runtime/ /',
        'COPY --from=assemble /image/ /',
        'WORKDIR /app',
        'USER 10001:10001',
        'ENTRYPOINT ["node", "/app/dist/main.js"]',
        'CMD []',
      ],
    )
    for (const { app, command, user } of await containersOfOurs()) {
      assert.ok(Number.isInteger(user) && user > 0, `${app} runs as ${user}`)
      if (command !== undefined) assert.equal(command[0], 'node', app)
    }
  })
})

const inContext = contextOf(text('.dockerignore'))

test('nothing that was made here, and nothing secret, gets into a build', () => {
  const kept = [
    ...[
      '.bulkhead/local/secrets/gthulhu-mongodb-auth.json',
      '.bulkhead/kind/kubeconfig',
      '.bulkhead/control.json',
      '.bulkhead',
    ],
    ...['apps/probe/.bulkhead/kind/kubeconfig', 'packages/mesh/src/.bulkhead/x', 'scripts/lib/.bulkhead/x'],
    ...['.git/config', 'apps/manager/.git', 'node_modules/turbo/package.json', 'apps/manager/node_modules/x/index.js'],
    ...[
      'apps/probe/dist/main.js',
      'packages/mesh/dist/index.js',
      '.turbo/cache/x.tar',
      '.npmrc',
      'apps/manager/.npmrc',
    ],
    ...['.env', 'apps/hello-app/.env.local', 'kubeconfig', 'apps/manager/src/key.pem', 'packages/x/tls.key', 'x.log'],
    ...['k8s/workloads/shop/web-api.yaml', 'docs/manager.md', 'scenarios/x.yaml', 'secrets/x', 'package.json.orig/x'],
    ...['scripts/setup.mjs', 'scripts/repo/words.test.mjs', 'scripts/image/images.test.mjs', 'core.1234', 'bundle.tar'],
  ]
  assert.deepEqual(kept.filter(inContext), [])
})

test('what a build reads gets in', () => {
  const read = [
    ...['package.json', 'package-lock.json', 'turbo.json', 'tsconfig.base.json', 'scripts/lib/workspaces.mjs'],
    ...['assemble', 'prune', 'install', 'runtime', 'apps', 'elf'].map((name) => `scripts/image/${name}.mjs`),
    ...Object.keys(apps).flatMap((app) =>
      ['package.json', 'tsconfig.json', 'src/main.ts'].map((file) => `apps/${app}/${file}`),
    ),
    ...['packages/service-kit/src/index.ts', 'apps/manager/assets/styles/base.css', 'apps/probe/src/attempt.test.ts'],
  ]
  assert.deepEqual(
    read.filter((file) => !inContext(file)),
    [],
  )
  const sources = all.filter(({ name, rest }) => name === 'COPY' && !rest.startsWith('--from=')).map(({ rest }) => rest)
  const files = sources
    .flatMap((rest) => rest.split(/\s+/).slice(0, -1))
    .filter((file) => file !== '.' && file !== 'scripts')
  assert.ok(files.length >= 4)
  for (const file of files) assert.ok(text(file).length > 0 && inContext(file), file)
})

test('a .dockerignore is read as Docker does: the last line that matches decides, for folders and what is in them', () => {
  const reads = contextOf('*\n!a\n**/x\n!a/b/x\n# note\n*.log')
  const cases = {
    a: true,
    'a/y': true,
    'a/x': false,
    'a/c/x/deep': false,
    'a/b/x/deep': true,
    ab: false,
    'a/z.log': true,
    'z.log': false,
  }
  assert.deepEqual(Object.fromEntries(Object.keys(cases).map((file) => [file, reads(file)])), cases)
  assert.throws(() => contextOf('a/**/b'), /a\/\*\*\/b is more than is understood/)
  assert.throws(() => contextOf('[ab]'), /more than is understood/)
})
