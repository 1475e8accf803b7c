import { openStore } from '../../store/open.js'

/*
 * A program that writes until it is killed, and says a line for each write that was acknowledged: `insert N`, or
 * `transfer N` for a transaction that moves an amount between accounts and notes it in two documents. It ends with the
 * one that started it.
 */

const [dataDir = '', first = '0'] = process.argv.slice(2)
process.stdin.resume().on('end', () => process.exit(1))

const accounts = 4
const store = await openStore({ dataDir, compactAboveBytes: 64 * 1024, compactRatio: 2 })
await store.write((unit) => {
  if (unit.count('bank.accounts') > 0) return
  for (let _id = 0; _id < accounts; _id++) unit.insert('bank.accounts', { _id, amount: 0 })
  unit.createIndexes('bank.notes', [{ name: 'side_1', key: { transfer: 1, side: 1 }, unique: true }])
})

let number = Number(first)
const say = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

async function insertAgainAndAgain(): Promise<never> {
  for (;;) {
    const _id = ++number
    await store.write((unit) => unit.insert('bank.items', { _id, filling: 'x'.repeat(_id % 300) }))
    say(`insert ${_id}`)
    // So that most of the log is past, and is written anew now and then.
    await store.write((unit) => {
      for (const old of unit.candidates('bank.items', { _id }).documents) unit.replace('bank.items', old, { _id })
    })
  }
}

async function transferAgainAndAgain(): Promise<never> {
  for (;;) {
    const transfer = ++number
    const transaction = store.begin()
    try {
      transaction.run((unit) => {
        for (const [side, amount] of [
          [transfer % accounts, -transfer],
          [(transfer + 1) % accounts, transfer],
        ] as const) {
          for (const old of unit.candidates('bank.accounts', { _id: side }).documents) {
            unit.replace('bank.accounts', old, { amount: old.doc.amount + amount })
          }
          unit.insert('bank.notes', { transfer, side, amount })
        }
      })
      await transaction.commit()
      say(`transfer ${transfer}`)
    } catch {
      // Another had the same account: the next one.
      transaction.abort()
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
}

await Promise.all([
  ...Array.from({ length: 8 }, insertAgainAndAgain),
  ...Array.from({ length: 4 }, transferAgainAndAgain),
])
