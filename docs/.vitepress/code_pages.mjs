// Source files that pages lead to, shown with a number and an anchor at each line. Plain HTML, no
// part of VitePress: there are many of them, and nothing on them moves.
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, extname, join, posix } from 'node:path'
import { createHighlighter } from 'shiki'
import { codeOf, read, root } from './tree.mjs'

const languages = { '.h': 'cpp', '.cpp': 'cpp', '.S': 'asm', '.py': 'python', '.mjs': 'js', '.js': 'js', '.json': 'json', '.cmake': 'cmake', '.html': 'html', '.css': 'css' }
const byName = { 'CMakeLists.txt': 'cmake', course: 'bash' }

const style = `
:root { color-scheme: light dark; --page: #fff; --text: #24292e; --quiet: #67676c; --rule: #e2e2e3; --mark: #fff3c4; --brand: #0b7285; }
@media (prefers-color-scheme: dark) { :root:not(.light) { --page: #1b1b1f; --text: #dfdfd6; --quiet: #98989f; --rule: #2e2e32; --mark: #3d3620; --brand: #5fc9d8; }
  :root:not(.light) .shiki, :root:not(.light) .shiki span { color: var(--shiki-dark) !important; } }
:root.dark { color-scheme: dark; --page: #1b1b1f; --text: #dfdfd6; --quiet: #98989f; --rule: #2e2e32; --mark: #3d3620; --brand: #5fc9d8; }
:root.dark .shiki, :root.dark .shiki span { color: var(--shiki-dark) !important; }
:root.light { color-scheme: light; }
body { margin: 0; background: var(--page); color: var(--text); font: 14px/1.6 ui-sans-serif, system-ui, sans-serif; }
header { position: sticky; top: 0; background: var(--page); border-bottom: 1px solid var(--rule); padding: 12px 24px; display: flex; gap: 16px; align-items: baseline; flex-wrap: wrap; }
header h1 { font: 600 15px/1.6 ui-monospace, monospace; margin: 0; }
a { color: var(--brand); }
main { padding: 16px 0 96px; overflow-x: auto; }
.shiki { background: none !important; font: 13px/1.6 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; margin: 0; }
.shiki code { display: block; width: max-content; min-width: 100%; counter-reset: line; }
.line { display: inline-block; min-width: 100%; padding: 0 24px 0 0; box-sizing: border-box; scroll-margin-top: 30vh; }
.line::before { counter-increment: line; content: counter(line); display: inline-block; width: 4ch; margin: 0 24px 0 16px; text-align: right; color: var(--quiet); }
.line:target { background: var(--mark); }
ul.files { list-style: none; padding: 0 24px; font-family: ui-monospace, monospace; }
`

const theme = `try{const t=localStorage.getItem('vitepress-theme-appearance');if(t==='dark'||t==='light')document.documentElement.classList.add(t)}catch{}`

function page(path, body) {
  const parts = path.split('/')
  const title = parts[parts.length - 1]
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${title} | goro</title><link rel="icon" href="data:,"><script>${theme}</script><style>${style}</style></head>
<body><header><h1>${path}</h1><a href="/">goro</a></header><main>${body}</main></body></html>
`
}

function languageOf(path) {
  return byName[posix.basename(path)] ?? languages[extname(path)] ?? 'text'
}

function entriesOf(folder) {
  return readdirSync(join(root, folder))
    .filter((name) => !name.startsWith('.') && name !== 'node_modules' && !name.endsWith('.md'))
    .map((name) => posix.join(folder, name))
    .sort()
}

// Writes a page for each of `paths` below `out`; a folder's leads to all that is in it.
export async function writeCodePages(paths, out) {
  const highlighter = await createHighlighter({
    themes: ['github-light', 'github-dark'],
    langs: [...new Set([...Object.values(languages), ...Object.values(byName)])],
  })
  const left = [...paths]
  const done = new Set()
  while (left.length > 0) {
    const path = left.pop()
    if (done.has(path)) continue
    done.add(path)
    let body
    if (statSync(join(root, path)).isDirectory()) {
      const entries = entriesOf(path)
      left.push(...entries)
      const item = (entry) => `<li><a href="${codeOf(entry)}">${posix.basename(entry)}</a></li>`
      body = `<ul class="files">${entries.map(item).join('')}</ul>`
    } else {
      let number = 0
      body = highlighter.codeToHtml(read(path).replace(/\n$/, ''), {
        lang: languageOf(path),
        themes: { light: 'github-light', dark: 'github-dark' },
        transformers: [{ line(node) { node.properties.id = 'L' + ++number } }],
      })
    }
    const file = join(out, codeOf(path))
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, page(path, body))
  }
  highlighter.dispose()
  return done.size
}
