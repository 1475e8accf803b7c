import { main } from '@bulkhead/service-kit'

await main(async () => {})
