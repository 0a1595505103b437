// Which page the language switch leads to: the same one if it is translated, or the other
// edition's first. Stands in for the theme's own function, which takes every page for translated.
// A heading's anchor does not come along, since it is another in each language.
import { useData } from 'vitepress'
import { computed } from 'vue'

const there = { root: ['docs/ko/', 'docs/'], ko: ['docs/', 'docs/ko/'] }

export function useLangs({ correspondingLink = false } = {}) {
  const { site, localeIndex, page, theme } = useData()
  const first = (key) => site.value.locales[key].link ?? '/'

  function link(key) {
    const [from, to] = there[key]
    const path = page.value.relativePath
    const other = to + path.slice(from.length)
    if (!correspondingLink || !path.startsWith(from) || !theme.value.translated.includes(key === 'ko' ? other : path)) return first(key)
    return '/' + other.replace(/(^|\/)index\.md$/, '$1').replace(/\.md$/, '.html')
  }

  return {
    currentLang: computed(() => ({ label: site.value.locales[localeIndex.value].label, link: first(localeIndex.value) })),
    localeLinks: computed(() =>
      Object.entries(site.value.locales)
        .filter(([key]) => key !== localeIndex.value)
        .map(([key, { label }]) => ({ text: label, link: link(key) })),
    ),
  }
}
