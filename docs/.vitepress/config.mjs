import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitepress'
import { writeCodePages } from './code_pages.mjs'
import { ofTheTree, slug } from './markdown.mjs'
import { pageOf, pages, root, staged, titleOf } from './tree.mjs'

const all = pages()
const recorded = JSON.parse(readFileSync(join(staged, 'recorded.json'), 'utf8'))
const shown = new Set(recorded.linked)

function item(path, text = titleOf(path)) {
  return { text, link: '/' + pageOf(path).replace(/index\.md$/, '').replace(/\.md$/, '') }
}

function items(pattern, without = []) {
  return all.filter((path) => pattern.test(path) && !without.includes(path)).map((path) => item(path))
}

function firstOf(folder) {
  return ['README.md', 'threads-and-goroutines.md', 'glossary.md'].map((name) => folder + name).filter((path) => all.includes(path))
}

const first = firstOf('docs/')
const labs = items(/^labs\/[^/]+\/README\.md$/)
const sidebar = [
  { text: 'Start', items: first.map((path) => item(path)) },
  { text: 'Chapters', items: items(/^docs\/chapters\/[^/]+\.md$/) },
  { text: 'More to read', items: items(/^docs\/[^/]+\.md$/, first) },
  { text: 'Labs', collapsed: true, items: labs },
  { text: 'API', items: items(/^docs\/api\/[^/]+\.md$/) },
  {
    text: 'The project',
    collapsed: true,
    items: ['README.md', 'CONTRIBUTING.md', 'grader/README.md', 'runtime/bench/README.md'].map((path) => item(path)),
  },
].filter((group) => group.items.length > 0)

const korean = all.filter((path) => path.startsWith('docs/ko/'))
const koreanFirst = firstOf('docs/ko/')
const koreanChapters = korean.filter((path) => path.startsWith('docs/ko/chapters/'))
const koreanSidebar = [
  { text: '시작', items: koreanFirst.map((path) => item(path)) },
  { text: '장', items: koreanChapters.map((path) => item(path)) },
  { text: '더 읽을거리', items: korean.filter((path) => ![...koreanFirst, ...koreanChapters].includes(path)).map((path) => item(path)) },
  { text: '실습 (영어)', collapsed: true, items: labs },
].filter((group) => group.items.length > 0)

const searchInKorean = {
  button: { buttonText: '검색', buttonAriaLabel: '검색' },
  modal: {
    displayDetails: '자세히 보기',
    resetButtonTitle: '검색어 지우기',
    backButtonTitle: '검색 닫기',
    noResultsText: '찾은 것이 없다:',
    footer: {
      selectText: '열기', selectKeyAriaLabel: 'Enter', navigateText: '이동',
      navigateUpKeyAriaLabel: '위쪽 화살표', navigateDownKeyAriaLabel: '아래쪽 화살표', closeText: '닫기', closeKeyAriaLabel: 'Esc',
    },
  },
}

const locales = {
  root: { label: 'English', lang: 'en' },
  ko: {
    label: '한국어',
    lang: 'ko',
    link: item('docs/ko/README.md').link,
    description: 'Go의 스케줄러를 C++20으로, 실습 하나씩 만든다',
    themeConfig: {
      sidebar: koreanSidebar,
      nav: [
        { text: '책', link: item('docs/ko/README.md').link, activeMatch: '^/docs/ko/' },
        { text: '실습', link: labs[0].link, activeMatch: '^/labs/' },
      ],
      outline: { level: [2, 3], label: '이 페이지에서' },
      docFooter: { prev: '이전', next: '다음' },
      darkModeSwitchLabel: '밝기',
      darkModeSwitchTitle: '어둡게',
      lightModeSwitchTitle: '밝게',
      sidebarMenuLabel: '차례',
      returnToTopLabel: '맨 위로',
      langMenuLabel: '언어 바꾸기',
      skipToContentLabel: '본문으로',
    },
  },
}

export default defineConfig({
  title: 'goro',
  description: "Build Go's scheduler in C++20, lab by lab",
  locales,
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
    config: (md) => md.use(ofTheTree(shown, recorded.names)),
  },
  themeConfig: {
    translated: korean.map(pageOf),
    outline: [2, 3],
    sidebar,
    nav: [
      { text: 'Book', link: item('docs/README.md').link, activeMatch: '^/docs/' },
      { text: 'Labs', link: item(all.find((path) => /^labs\/.*README\.md$/.test(path))).link, activeMatch: '^/labs/' },
    ],
    search: {
      provider: 'local',
      options: {
        locales: { ko: { translations: searchInKorean } },
        // Whoever looks for a word is not to land in a solution.
        _render: (source, env, md) => (env.relativePath.startsWith('solutions/') ? '' : md.render(source, env)),
      },
    },
    docFooter: { prev: 'Before', next: 'Next' },
  },
  vite: {
    publicDir: false,
    resolve: { alias: [{ find: /^.*\/composables\/langs$/, replacement: fileURLToPath(new URL('./theme/langs.mjs', import.meta.url)) }] },
    build: { chunkSizeWarningLimit: 2000 },
  },
  async buildEnd({ outDir }) {
    const count = await writeCodePages(shown, outDir)
    if (recorded.names.length > 0) cpSync(join(root, 'build/recordings'), join(outDir, 'recordings'), { recursive: true })
    console.log(`${count} source files and folders are shown`)
  },
})
