/** The answer of one service of the chain, with those it called. An empty string or list stands for an absent field. */
export interface Answer {
  name: string
  uri: string
  type: string
  ipAddresses: readonly string[]
  startTime: string
  endTime: string
  duration: string
  body: string
  upstreamCalls: Answer[]
  code: number
  error: string
}

export const emptyAnswer = (): Answer => ({
  name: '',
  uri: '',
  type: '',
  ipAddresses: [],
  startTime: '',
  endTime: '',
  duration: '',
  body: '',
  upstreamCalls: [],
  code: 0,
  error: '',
})
