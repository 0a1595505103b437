// The repository as the site sees it: which of its files are pages, and what the others are called.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, posix } from 'node:path'

// The site is made in a folder of its own, build/site, to which docs/build.mjs brings all pages.
// Everything else is where it is.
export const root = process.env.GORO_COURSE_ROOT
export const staged = join(root, 'build/site')

// Every page, by its path from the root.
export function pages(folder = '') {
  const found = []
  for (const entry of readdirSync(join(staged, folder), { withFileTypes: true })) {
    if (entry.name.startsWith('.') || entry.name === 'node_modules') continue
    const path = posix.join(folder, entry.name)
    if (entry.isDirectory()) found.push(...pages(path))
    else if (entry.name.endsWith('.md')) found.push(path)
  }
  return found.sort()
}

// Where a page of the tree is in the site: a folder's README is the folder's page.
export function pageOf(path) {
  if (path === 'docs/site/index.md') return 'index.md'
  if (path === 'README.md') return 'goro.md'
  return path.replace(/README\.md$/, 'index.md')
}

// Where any other file or folder of the tree is in the site.
export function codeOf(path) {
  const isFolder = statSync(join(root, path)).isDirectory()
  return '/' + posix.join('code', path, isFolder ? 'index.html' : '') + (isFolder ? '' : '.html')
}

export function read(path) {
  return readFileSync(join(root, path), 'utf8')
}

// A link as it stands in a page of the tree: {page, hash}, {code, hash}, or null if it leads out of
// the tree.
export function resolveLink(from, target) {
  if (/^[a-z][a-z0-9+.-]*:/i.test(target) || target.startsWith('//')) return null
  const [file, hash = ''] = decodeURI(target).split('#')
  const path = file === '' ? from : posix.normalize(posix.join(posix.dirname(from), file))
  const there = existsSync(join(root, path)) ? join(root, path) : join(staged, path)
  if (path.startsWith('..') || !existsSync(there)) {
    throw new Error(`${from}: a link to ${target}, which does not exist`)
  }
  const clean = path.replace(/\/$/, '')
  if (clean.endsWith('.md')) return { page: clean, hash }
  if (statSync(there).isDirectory() && existsSync(join(there, 'README.md'))) {
    return { page: posix.join(clean, 'README.md'), hash }
  }
  return { code: clean, hash }
}

// The lines of a region that pages quote, as grader/src/markdown.cpp finds it, and where it begins.
export function region(path, name) {
  const lines = read(path).split('\n')
  const first = lines.findIndex((line) => line.endsWith(` [${name}]`))
  const last = lines.findIndex((line) => line.endsWith(` [/${name}]`))
  if (first < 0 || last < first) throw new Error(`${path} has no region ${name}`)
  return { first: first + 2, last }
}

export function titleOf(path) {
  const heading = readFileSync(join(staged, path), 'utf8').match(/^# +(.+)$/m)
  return heading ? heading[1].replaceAll('`', '') : path
}
