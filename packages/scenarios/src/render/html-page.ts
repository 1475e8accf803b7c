/* What the page of a report looks like, and how it is filtered. Both are in the page itself, named by their digests. */

export const style = `
:root { --text: #1b1f24; --faint: #57606a; --back: #ffffff; --band: #f3f5f8; --line: #d0d7de; --good: #116329; --bad: #a40e26; --warn: #7a4d00; --link: #0550ae; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6edf3; --faint: #9aa5b1; --back: #0f141a; --band: #171e27; --line: #36404b; --good: #57c46f; --bad: #ff8f8f; --warn: #e3b341; --link: #79b8ff; }
}
* { box-sizing: border-box; }
body { margin: 0; padding: 1.25rem; font: 15px/1.45 system-ui, sans-serif; color: var(--text); background: var(--back); }
h1 { font-size: 1.35rem; margin: 0 0 .25rem; }
header p { margin: .1rem 0; color: var(--faint); }
.summary { font-weight: 600; }
header .good { color: var(--good); }
header .bad { color: var(--bad); }
form { display: flex; flex-wrap: wrap; gap: .5rem 1.25rem; align-items: center; margin: 1rem 0 .5rem; }
form[hidden] { display: none; }
fieldset { display: flex; flex-wrap: wrap; gap: .25rem 1rem; border: 0; padding: 0; margin: 0; }
legend { float: left; padding: 0 .5rem 0 0; }
input[type=search] { font: inherit; width: 20rem; max-width: 100%; padding: .3rem .5rem; color: inherit; background: var(--back); border: 1px solid var(--faint); border-radius: 4px; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; min-width: 68rem; table-layout: fixed; }
caption { text-align: left; color: var(--faint); padding: .25rem 0 .5rem; max-width: calc(100vw - 2.5rem); }
th, td { text-align: left; vertical-align: top; padding: .45rem .6rem; border-top: 1px solid var(--line); overflow-wrap: anywhere; font-weight: 400; }
thead th { font-weight: 600; background: var(--band); position: sticky; top: 0; }
thead th:nth-child(1) { width: 7.5rem; }
thead th:nth-child(2) { width: 20%; }
thead th:nth-child(6) { width: 27%; }
.id { font-weight: 600; }
small, .none { color: var(--faint); }
code { font: 12.5px/1.4 ui-monospace, monospace; }
summary code { color: var(--text); }
td ul { margin: .2rem 0; padding-left: 1.1rem; }
td dl, td p { margin: .3rem 0; }
dd { margin: 0 0 .4rem; }
dt, summary { color: var(--faint); }
summary { cursor: pointer; }
.mark { font-weight: 600; }
td b { white-space: nowrap; }
[data-status=as-expected] .mark { color: var(--good); }
[data-status=different] .mark, [data-status=not-observed] .mark { color: var(--bad); }
tr.silent .mark, [data-status=skipped] .mark, [data-status=not-made] .mark { color: var(--warn); }
[data-status=different] td, [data-status=different] th, [data-status=not-observed] td, [data-status=not-observed] th { background: var(--band); }
tr[hidden] { display: none; }
@media print { form { display: none; } .scroll { overflow: visible; } thead th { position: static; } }
`

export const script = `
(() => {
  const form = document.querySelector('form')
  const words = document.getElementById('words')
  const shown = document.getElementById('shown')
  const boxes = [...form.querySelectorAll('input[type=checkbox]')]
  const rows = [...document.querySelectorAll('tbody tr')].map((row) => ({ row, text: row.textContent.toLowerCase(), status: row.dataset.status }))
  const filter = () => {
    const wanted = words.value.toLowerCase().split(/[\\s,]+/).filter((word) => word !== '')
    const chosen = new Set(boxes.filter((box) => box.checked).map((box) => box.value))
    let number = 0
    for (const { row, text, status } of rows) {
      const there = chosen.has(status) && wanted.every((word) => text.includes(word))
      row.hidden = !there
      if (there) number += 1
    }
    shown.textContent = number + ' of ' + rows.length + ' shown'
  }
  form.addEventListener('input', filter)
  form.addEventListener('submit', (event) => event.preventDefault())
  form.hidden = false
  filter()
})()
`
