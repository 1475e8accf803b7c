import type { Address, Outside } from '../seams.js'

/** No outside at all: no name, and no answer from anywhere. */
export const nowhere: Outside = {
  resolve: async () => undefined,
  dial: ({ ip, port }: Address) =>
    Promise.reject(Object.assign(new Error(`connect ETIMEDOUT ${ip}:${port}`), { code: 'ETIMEDOUT' })),
  datagram: () => false,
  close: async () => {},
}
