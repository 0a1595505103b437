import { join } from 'node:path'
import { defineConfig } from 'vitepress'
import { writeCodePages } from './code_pages.mjs'
import { ofTheTree, slug } from './markdown.mjs'
import { pageOf, pages, root, titleOf } from './tree.mjs'

const all = pages()
const shown = new Set()

function item(path, text = titleOf(path)) {
  return { text, link: '/' + pageOf(path).replace(/index\.md$/, '').replace(/\.md$/, '') }
}

function items(pattern, without = []) {
  return all.filter((path) => pattern.test(path) && !without.includes(path)).map((path) => item(path))
}

const first = ['docs/README.md', 'docs/threads-and-goroutines.md', 'docs/glossary.md'].filter((path) => all.includes(path))

const sidebar = [
  { text: 'Start', items: first.map((path) => item(path)) },
  { text: 'Chapters', items: items(/^docs\/chapters\/[^/]+\.md$/) },
  { text: 'More to read', items: items(/^docs\/[^/]+\.md$/, first) },
  { text: 'Labs', collapsed: true, items: items(/^labs\/[^/]+\/README\.md$/) },
  { text: 'API', items: items(/^docs\/api\/[^/]+\.md$/) },
  {
    text: 'The project',
    collapsed: true,
    items: ['README.md', 'CONTRIBUTING.md', 'grader/README.md', 'runtime/bench/README.md'].map((path) => item(path)),
  },
].filter((group) => group.items.length > 0)

export default defineConfig({
  title: 'goro',
  description: "Build Go's scheduler in C++20, lab by lab",
  lang: 'en',
  outDir: join(root, 'build/docs'),
  cacheDir: join(root, 'build/docs-cache'),
  rewrites: Object.fromEntries(all.map((path) => [path, pageOf(path)])),
  metaChunk: true,
  head: [['link', { rel: 'icon', href: 'data:image/svg+xml,%3Csvg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"%3E%3Crect width="32" height="32" rx="7" fill="%230b7285"/%3E%3Ctext x="16" y="23" font-family="sans-serif" font-size="20" font-weight="700" text-anchor="middle" fill="white"%3EG%3C/text%3E%3C/svg%3E' }]],
  // Links to other files of the tree are looked at when they are made (markdown.mjs).
  ignoreDeadLinks: [/^\/code\//],
  markdown: {
    theme: { light: 'github-light', dark: 'github-dark' },
    anchor: { slugify: slug },
    toc: { slugify: slug },
    headers: { slugify: slug },
    languageAlias: { S: 'asm' },
    config: (md) => md.use(ofTheTree(shown)),
  },
  themeConfig: {
    outline: [2, 3],
    sidebar,
    nav: [
      { text: 'Book', link: item('docs/README.md').link, activeMatch: '^/docs/' },
      { text: 'Labs', link: item(all.find((path) => /^labs\/.*README\.md$/.test(path))).link, activeMatch: '^/labs/' },
    ],
    search: {
      provider: 'local',
      options: {
        // Whoever looks for a word is not to land in a solution.
        _render: (source, env, md) => (env.relativePath.startsWith('solutions/') ? '' : md.render(source, env)),
      },
    },
    docFooter: { prev: 'Before', next: 'Next' },
  },
  vite: { publicDir: false, build: { chunkSizeWarningLimit: 2000 } },
  async buildEnd({ outDir }) {
    const count = await writeCodePages(shown, outDir)
    console.log(`${count} source files and folders are shown`)
  },
})
