import './core.js'
import './strings.js'
import './lists.js'
import './regex.js'
