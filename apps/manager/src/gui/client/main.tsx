import { render } from 'preact'
import { App } from './app.js'
import { applyTheme, storedTheme } from './state/theme.js'

applyTheme(storedTheme())
const place = document.getElementById('app')
if (place !== null) render(<App />, place)
