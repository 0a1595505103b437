// How a page of the tree becomes one of the site: links lead to pages or to shown source files,
// headings have GitHub's anchors, quoted code says where it stands.
import { posix } from 'node:path'
import { codeOf, pageOf, region, resolveLink, staged } from './tree.mjs'

// As GitHub makes them, and grader/src/markdown.cpp.
export function slug(heading) {
  return [...heading.toLowerCase()]
    .map((c) => (c === ' ' ? '-' : /[a-z0-9_-]/.test(c) || c > '\x7f' ? c : ''))
    .join('')
}

function escaped(text) {
  return text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c])
}

// `shown`: a set that gets the path of each file that a page leads to and that is no page itself.
// `recorded`: what was recorded; nothing in a copy without the reference.
export function ofTheTree(shown, recorded) {
  function codeLink(path, hash = '') {
    shown.add(path)
    return codeOf(path) + (hash && '#' + hash)
  }

  function link(from, token) {
    const target = token.attrGet('href')
    if (!target) return
    const found = resolveLink(from, target)
    if (found === null) return
    const hash = found.hash && '#' + found.hash
    if (found.page) {
      token.attrSet('href', found.page === from && hash ? hash : '/' + pageOf(found.page) + hash)
    } else {
      token.attrSet('href', codeLink(found.code, found.hash))
      token.attrSet('target', '_self') // not one of the site's own pages, so it is loaded anew
    }
  }

  const quote = /<!-- quote: ([^#\s]+)#(\S+) -->/

  function quotes(from, tokens, Token) {
    for (let i = 0; i < tokens.length; ++i) {
      const found = tokens[i].type === 'html_block' && tokens[i].content.match(quote)
      if (!found) continue
      const fence = tokens.findIndex((token, at) => at > i && token.type === 'fence')
      if (fence < 0) continue
      const [, path, name] = found
      const { first, last } = region(path, name)
      const lines = from.startsWith('docs/ko/') ? `${first}–${last}행` : `lines ${first}–${last}`
      const before = new Token('html_block', '', 0)
      before.content =
        `<div class="quoted"><p class="quoted-from"><a target="_self" href="${codeLink(path, 'L' + first)}">` +
        `${escaped(path)}</a><span>${lines}</span></p>\n`
      const after = new Token('html_block', '', 0)
      after.content = '</div>\n'
      tokens[i].content = tokens[i].content.replace(quote, '')
      tokens.splice(fence + 1, 0, after)
      tokens.splice(fence, 0, before)
      i = fence + 2
    }
  }

  const recording = /<!-- recording: ([\w-]+) -->/

  function recordings(tokens) {
    for (const token of tokens) {
      if (token.type !== 'html_block') continue
      token.content = token.content.replace(recording, (all, name) => {
        if (recorded.includes(name)) return `<Recording name="${name}" />`
        if (recorded.length > 0) throw new Error(`there is no recording ${name}`)
        return '<p class="recording">This copy of the course has no recordings.</p>'
      })
    }
  }

  // In a picture made of letters a Hangul syllable takes the place of two, in whatever fonts there are.
  function wideLetters(md) {
    const fence = md.renderer.rules.fence
    md.renderer.rules.fence = (...args) => fence(...args).replace(/[가-힣]/g, '<span class="wide">$&</span>')
  }

  return (md) => {
    wideLetters(md)
    md.core.ruler.push('of-the-tree', (state) => {
      const from = posix.relative(staged, state.env.realPath ?? state.env.path)
      for (const token of state.tokens) {
        for (const child of token.children ?? []) if (child.type === 'link_open') link(from, child)
      }
      quotes(from, state.tokens, state.Token)
      recordings(state.tokens)
    })
  }
}
