import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Conversation, credentialOf } from './scram.js'

/* The exchange that RFC 7677 prints. */
const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64')
const clientFirst = 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO'
const serverNonce = '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0'
const withoutProof = `c=biws,r=rOprNGfwEbeRWgbNEkqO${serverNonce}`
const proof = 'dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ='

const begun = async (name = 'user', first = clientFirst) => {
  const credential = await credentialOf('pencil', { salt, iterationCount: 4096 })
  return new Conversation(first, (user) => (user === name ? credential : undefined), serverNonce)
}

test('the exchange of RFC 7677', async () => {
  const conversation = await begun()
  assert.equal(conversation.first, `r=rOprNGfwEbeRWgbNEkqO${serverNonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`)
  assert.equal(conversation.finish(`${withoutProof},p=${proof}`), 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=')
})

const wrong: readonly (readonly [what: string, message: string])[] = [
  ['another proof', `${withoutProof},p=${Buffer.alloc(32).toString('base64')}`],
  ['a proof that is too short', `${withoutProof},p=AAAA`],
  ['a nonce that is not the one', `c=biws,r=rOprNGfwEbeRWgbNEkqO,p=${proof}`],
  [
    'a channel that was not agreed on',
    `c=${Buffer.from('p=tls-unique,,').toString('base64')},r=rOprNGfwEbeRWgbNEkqO${serverNonce},p=${proof}`,
  ],
  ['nothing', ''],
]
for (const [what, message] of wrong) {
  test(`${what} is refused`, async () => {
    const conversation = await begun()
    assert.throws(() => conversation.finish(message), {
      codeName: 'AuthenticationFailed',
      message: 'Authentication failed.',
    })
  })
}

test('a user that is not there is asked for a proof like any other, the same each time, and refused alike', async () => {
  const [one, two] = [await begun('another'), await begun('another')]
  assert.equal(one.first, two.first)
  assert.match(one.first, /,s=[A-Za-z0-9+/=]{40},i=15000$/)
  assert.throws(() => one.finish(`${withoutProof},p=${proof}`), { message: 'Authentication failed.' })
})

test('names are unescaped, and what is no first message is refused', async () => {
  assert.equal((await begun('a,b=c', 'n,,n=a=2Cb=3Dc,r=xyz')).user, 'a,b=c')
  for (const first of [
    '',
    'p=tls-unique,,n=user,r=x',
    'n,a=other,n=user,r=x',
    'n,,m=ext,n=user,r=x',
    'n,,n=us=41er,r=x',
    'n,,n=,r=x',
    'n,,n=user,r=',
  ])
    await assert.rejects(begun('user', first), { codeName: 'AuthenticationFailed' }, first)
})
