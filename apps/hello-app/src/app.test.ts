import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import request from 'supertest'
import { type Code, codes } from './checks/codes.js'
import { PAGE_POLICY } from './page/routes.js'
import type { StatusJson } from './status/json.js'
import { outsideThatIs, startApp, type TestApp } from './testing/app.js'
import { errorResponse, playing, row, WELCOME } from './testing/fake-postgres.js'
import { closedPort, tcpServer } from './testing/servers.js'

const GREETING = row('Hello from PostgreSQL')
const BOTH = [outsideThatIs('github', 'connected', 200), outsideThatIs('cloudflare', 'connected', 400)]

async function withPostgres(t: TestContext, outside = BOTH): Promise<TestApp> {
  const server = await tcpServer(t, playing(WELCOME, ...Array<Buffer>(20).fill(GREETING)))
  return startApp(t, { DB_HOST: '127.0.0.1', DB_PORT: String(server.port) }, { outside })
}

const withoutPostgres = async (t: TestContext, outside = BOTH): Promise<TestApp> =>
  startApp(t, { DB_HOST: '127.0.0.1', DB_PORT: String(await closedPort()) }, { outside })

test('GET /health is static: no dependency is asked', async (t) => {
  const { service } = await withoutPostgres(t)
  const { status, text, headers } = await request(service.server).get('/health')
  assert.deepEqual(
    [status, text, headers['content-type']],
    [200, '{"status":"healthy"}', 'application/json; charset=utf-8'],
  )
  assert.equal((await request(service.server).get('/livez')).status, 200)
})

test('GET /readyz follows the database, and nothing outside', async (t) => {
  const gone = [outsideThatIs('github', 'timeout'), outsideThatIs('cloudflare', 'timeout')]
  const good = await request((await withPostgres(t, gone)).service.server).get('/readyz')
  assert.deepEqual([good.status, good.text], [200, '{"status":"ready","checks":{"database":"ok"}}'])
  const bad = await request((await withoutPostgres(t)).service.server).get('/readyz')
  assert.deepEqual([bad.status, bad.text], [503, '{"status":"not ready","checks":{"database":"failed"}}'])
})

test('GET / with everything connected: the contract’s words', async (t) => {
  const { service } = await withPostgres(t)
  const { status, text, headers } = await request(service.server).get('/')
  assert.deepEqual([status, headers['content-type']], [200, 'text/html; charset=utf-8'])
  const { port } = service.server.address() as { port: number }
  for (const words of [
    '<title>Cilium Istio Lab</title>',
    '<h1>Cilium Istio Lab</h1>',
    'Flask Application with Network Policy Demo',
    '>Application</h2>',
    'Hello from Flask!',
    '>Internal Services</h2>',
    '<h3>PostgreSQL Database</h3><span class="pill success">Connected</span>',
    'Hello from PostgreSQL',
    '>External Services (Egress)</h2>',
    '<h3>GitHub API</h3><span class="pill success">Connected</span>',
    'api.github.com',
    '<h3>Cloudflare API</h3><span class="pill success">Connected</span>',
    'api.cloudflare.com',
    `Running on port ${port}`,
  ])
    assert.ok(text.includes(words), words)
  assert.doesNotMatch(text, /<script|style=|onload|javascript:/i)
})

test('GET / with nothing connected is a 200 all the same, and says which walls it looks like', async (t) => {
  const outside = [outsideThatIs('github', 'late-reset'), outsideThatIs('cloudflare', 'tls-reset')]
  const { service } = await withoutPostgres(t, outside)
  const { status, text } = await request(service.server).get('/')
  assert.equal(status, 200)
  assert.match(text, /<h3>PostgreSQL Database<\/h3><span class="pill error">Disconnected<\/span>/)
  assert.equal(text.match(/<span class="pill error">Unreachable<\/span>/g)?.length, 2)
  const cloudflare = text.slice(text.indexOf('id="cloudflare"'))
  assert.match(cloudflare, /<code class="wall">30-cilium<\/code>/)
  assert.match(cloudflare, /TLS server names/)
  assert.match(cloudflare, /<code>tls-reset<\/code>/)
})

test('GitHub that limits its callers is reachable', async (t) => {
  const outside = [outsideThatIs('github', 'limited', 403), outsideThatIs('cloudflare', 'connected', 400)]
  const { service } = await withPostgres(t, outside)
  assert.match(
    (await request(service.server).get('/')).text,
    /<h3>GitHub API<\/h3><span class="pill success limited">Connected, limited<\/span>/,
  )
  const { body } = (await request(service.server).get('/api/status')) as { body: StatusJson }
  assert.deepEqual([body.ok, body.checks[1]?.state, body.checks[1]?.status], [true, 'limited', 403])
})

test('GET /api/status: each field', async (t) => {
  const outside = [outsideThatIs('github', 'connected', 200), outsideThatIs('cloudflare', 'tls-reset')]
  const { service } = await withPostgres(t, outside)
  const before = Date.now()
  const { status, headers, body } = (await request(service.server).get('/api/status')) as unknown as {
    status: number
    headers: Record<string, string>
    body: StatusJson
  }
  assert.deepEqual([status, headers['content-type']], [200, 'application/json; charset=utf-8'])
  assert.deepEqual(Object.keys(body), ['ok', 'checkedAt', 'checks'])
  assert.equal(body.ok, false)
  assert.ok(Date.parse(body.checkedAt) >= before && Date.parse(body.checkedAt) <= Date.now())
  assert.deepEqual(
    body.checks.map(({ ms, since, ...rest }) => {
      assert.ok(Number.isInteger(ms) && ms >= 0 && Date.parse(since) >= before)
      return rest
    }),
    [
      {
        id: 'postgres',
        name: 'PostgreSQL Database',
        target: 'PostgreSQL',
        kind: 'database',
        state: 'connected',
        code: 'connected',
        says: 'It answered.',
        walls: [],
      },
      {
        id: 'github',
        name: 'GitHub API',
        target: 'api.github.com',
        kind: 'outside',
        state: 'connected',
        code: 'connected',
        says: 'It answered.',
        walls: [],
        status: 200,
      },
      {
        id: 'cloudflare',
        name: 'Cloudflare API',
        target: 'api.cloudflare.com',
        kind: 'outside',
        state: 'unreachable',
        code: 'tls-reset',
        says: codes['tls-reset'].says,
        hint: codes['tls-reset'].hint.outside,
        walls: ['30-cilium'],
      },
    ],
  )
})

test('no address, no user, no word of a driver or of the other side leaves, on any page', async (t) => {
  const poison = 'FATAL <img src=x onerror=alert(1)> user "hel10" at 10.244.1.9:5432'
  const server = await tcpServer(t, playing(errorResponse('28P01', poison)))
  const env = {
    DB_HOST: '127.0.0.1',
    DB_PORT: String(server.port),
    DB_USER: 'hel10',
    DB_PASSWORD: 's3cret',
    DB_NAME: 'n4me',
  }
  const { service, log } = await startApp(t, env, { outside: BOTH })
  for (const path of ['/', '/api/status', '/readyz', '/metrics']) {
    const { text, headers } = await request(service.server).get(path)
    assert.doesNotMatch(
      text + JSON.stringify(headers),
      new RegExp(`img src|hel10|s3cret|n4me|10\\.244|FATAL|28P01|127\\.0\\.0\\.1|:${server.port}`),
      path,
    )
  }
  assert.match((await request(service.server).get('/api/status')).text, /"code":"db-auth-failed"/)
  assert.match(log.join(''), /28P01/, 'whoever reads the log finds the reason')
  assert.doesNotMatch(log.join(''), /s3cret/)
})

test('headers: nothing inline, nothing framed, nothing sniffed, nothing kept; the style sheet may be kept for ever', async (t) => {
  const { service } = await withPostgres(t)
  const page = await request(service.server).get('/')
  assert.equal(page.headers['content-security-policy'], PAGE_POLICY)
  assert.match(PAGE_POLICY, /^default-src 'none';/)
  assert.doesNotMatch(PAGE_POLICY, /unsafe|\*|data:|http/)
  const styles = /href="(\/assets\/page\.[0-9a-f]{12}\.css)"/.exec(page.text)?.[1] ?? assert.fail()
  for (const [path, keep] of [
    ['/', 'no-store'],
    ['/api/status', 'no-store'],
    [styles, 'public, max-age=31536000, immutable'],
  ] as const) {
    const { headers } = await request(service.server).get(path)
    assert.deepEqual([headers['x-content-type-options'], headers['cache-control']], ['nosniff', keep], path)
    assert.ok(headers['content-security-policy'], path)
    assert.equal(headers['x-powered-by'], undefined)
  }
  assert.equal((await request(service.server).get(styles)).headers['content-type'], 'text/css; charset=utf-8')
})

test('page views do not multiply outgoing calls', async (t) => {
  let asked = 0
  const counted = {
    ...outsideThatIs('github', 'connected'),
    run: async () => ({ code: 'connected' as Code, n: asked++ }),
  }
  const { service } = await withPostgres(t, [counted])
  await Promise.all(
    Array.from({ length: 100 }, (_, n) => request(service.server).get(n % 2 === 0 ? '/' : '/api/status')),
  )
  assert.equal(asked, 1)
})

test('other methods and other paths', async (t) => {
  const { service } = await withPostgres(t)
  const post = await request(service.server).post('/api/status')
  assert.deepEqual([post.status, post.headers.allow], [405, 'GET, HEAD'])
  assert.equal((await request(service.server).get('/assets/../package.json')).status, 404)
  const head = await request(service.server).head('/')
  assert.deepEqual([head.status, head.text ?? ''], [200, ''])
})

test('metrics: whether each dependency is up, and how its checks ended', async (t) => {
  const { service, log } = await withPostgres(t, [outsideThatIs('cloudflare', 'tls-reset')])
  await request(service.server).get('/')
  const { text } = await request(service.server).get('/metrics')
  assert.match(text, /^hello_dependency_up\{check="postgres"\} 1$/m)
  assert.match(text, /^hello_dependency_up\{check="cloudflare"\} 0$/m)
  assert.match(text, /^hello_checks_total\{check="cloudflare",code="tls-reset"\} 1$/m)
  const [line] = log
    .map((one) => JSON.parse(one) as Record<string, unknown>)
    .filter(({ check }) => check === 'cloudflare')
  assert.deepEqual([line?.level, line?.code, line?.msg], [40, 'tls-reset', 'dependency'])
})
