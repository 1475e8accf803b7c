import { replayLab } from './replay.js'

replayLab('01')
