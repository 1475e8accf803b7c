import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeJwt, generateKeyPair, SignJWT } from 'jose'
import { type BoundPod, issuer, Tokens } from './tokens.js'

const pod: BoundPod = { namespace: 'shop', name: 'web-1', uid: 'pod-uid', node: 'n1', serviceAccount: 'web' }

function world() {
  let time = 1_800_000_000_000
  let podUid: string | undefined = 'pod-uid'
  let accountUid: string | undefined = 'account-uid'
  const living = {
    podUid: (namespace: string, name: string) => (`${namespace}/${name}` === 'shop/web-1' ? podUid : undefined),
    accountUid: (namespace: string, name: string) => (`${namespace}/${name}` === 'shop/web' ? accountUid : undefined),
  }
  return {
    tokens: new Tokens({ living, now: () => time }),
    later: (seconds: number) => {
      time += seconds * 1000
    },
    pod: (uid: string | undefined) => {
      podUid = uid
    },
    account: (uid: string | undefined) => {
      accountUid = uid
    },
  }
}

test('a token says whose it is, in the claims of Kubernetes', async () => {
  const { tokens } = world()
  const { token } = await tokens.issue(pod)
  const { jti, ...claims } = decodeJwt(token)
  assert.match(String(jti), /^[0-9a-f-]{36}$/)
  assert.deepEqual(claims, {
    iss: issuer,
    sub: 'system:serviceaccount:shop:web',
    aud: [issuer],
    iat: 1_800_000_000,
    nbf: 1_800_000_000,
    exp: 1_800_003_600,
    'kubernetes.io': {
      namespace: 'shop',
      node: { name: 'n1' },
      pod: { name: 'web-1', uid: 'pod-uid' },
      serviceaccount: { name: 'web', uid: 'account-uid' },
    },
  })
  assert.deepEqual(await tokens.review(token), {
    name: 'system:serviceaccount:shop:web',
    groups: ['system:serviceaccounts', 'system:serviceaccounts:shop', 'system:authenticated'],
  })
})

test('a token is dead when its time is over, and its time is from 10 minutes to a day', async () => {
  const { tokens, later } = world()
  for (const [asked, given] of [
    [1, 600],
    [1000, 1000],
    [1e9, 86_400],
  ] as const) {
    const { token, issued, expires } = await tokens.issue(pod, { expirationSeconds: asked })
    assert.equal((expires.getTime() - issued.getTime()) / 1000, given)
    later(given - 1)
    assert.notEqual(await tokens.review(token), undefined)
    later(1)
    assert.equal(await tokens.review(token), undefined)
  }
})

test('a token for another audience is not for the API server', async () => {
  const { tokens } = world()
  const { token } = await tokens.issue(pod, { audience: 'scheduler' })
  assert.deepEqual(decodeJwt(token).aud, ['scheduler'])
  assert.equal(await tokens.review(token), undefined)
})

test('a token dies with its pod and with its account, and is not that of one who comes after', async () => {
  const { tokens, pod: podIs, account } = world()
  const { token } = await tokens.issue(pod)
  for (const uid of [undefined, 'another']) {
    podIs(uid)
    assert.equal(await tokens.review(token), undefined, `pod ${uid}`)
    podIs('pod-uid')
    account(uid)
    assert.equal(await tokens.review(token), undefined, `account ${uid}`)
    account('account-uid')
  }
  assert.notEqual(await tokens.review(token), undefined)
})

test('what we have not signed is worth nothing, whatever it says', async () => {
  const { tokens } = world()
  const { token } = await tokens.issue(pod)
  const claims = decodeJwt(token)
  const { privateKey } = await generateKeyPair('ES256')
  const forged = await new SignJWT(claims).setProtectedHeader({ alg: 'ES256' }).sign(privateKey)
  const secret = new TextEncoder().encode('x'.repeat(32))
  const symmetric = await new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(secret)
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const [head = '', body = '', signature = ''] = token.split('.')
  const changed = `${head}.${part({ ...claims, sub: 'system:serviceaccount:kube-system:admin' })}.${signature}`
  const none = `${part({ alg: 'none' })}.${body}.`
  for (const bad of [forged, symmetric, changed, none, 'x', 'a.b.c', `${token}x`, token.slice(0, -4)])
    assert.equal(await tokens.review(bad), undefined, bad)
  const other = world()
  assert.equal(await other.tokens.review(token), undefined, 'of another run')
})
