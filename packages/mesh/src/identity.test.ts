import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { identityOfAltNames } from './identity.js'

const read = (names: string | undefined) => identityOfAltNames(names, 'cluster.local')
const good = 'spiffe://cluster.local/ns/shop/sa/web-api'

describe("a peer's identity", () => {
  it('is the one URI of its certificate', () => {
    assert.deepEqual(read(`URI:${good}`), { identity: good })
    assert.deepEqual(read('URI:spiffe://cluster.local/ns/a.b/sa/c-1'), {
      identity: 'spiffe://cluster.local/ns/a.b/sa/c-1',
    })
  })

  const refused: readonly [what: string, names: string | undefined][] = [
    ['no names at all', undefined],
    ['an empty one', ''],
    ['a DNS name', 'DNS:web-api.shop'],
    ['two URIs', `URI:${good}, URI:spiffe://cluster.local/ns/shop/sa/sleep`],
    ['a URI and a DNS name', `URI:${good}, DNS:web-api`],
    ['a DNS name and a URI', `DNS:web-api, URI:${good}`],
    ['a name that holds a URI, as Node quotes it', `DNS:"x, URI:${good}"`],
    ['a URI with a comma in it, as Node quotes it', `URI:"${good}, URI:${good}"`],
    ['another trust domain', 'URI:spiffe://elsewhere/ns/shop/sa/web-api'],
    ['a trust domain that begins alike', 'URI:spiffe://cluster.local.evil/ns/shop/sa/web-api'],
    ['another scheme', 'URI:https://cluster.local/ns/shop/sa/web-api'],
    ['a path of another form', 'URI:spiffe://cluster.local/ns/shop/web-api'],
    ['a longer path', `URI:${good}/more`],
    ['upper case', 'URI:spiffe://cluster.local/ns/Shop/sa/web-api'],
    ['an escape', 'URI:spiffe://cluster.local/ns/shop/sa/web%2fapi'],
    ['a newline at the end', `URI:${good}\n`],
    ['an empty part', 'URI:spiffe://cluster.local/ns//sa/web-api'],
  ]
  for (const [what, names] of refused) {
    it(`is none with ${what}`, () => {
      const answer = read(names)
      assert.ok('refused' in answer, JSON.stringify(answer))
    })
  }
})
