// The API reference, from the comments in runtime/include/goro/*.h: a page for each header in
// docs/api of the site. What is in namespace detail, or private, is not shown.
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const folder = 'runtime/include/goro'

const withoutSlashes = (lines) => lines.map((line) => line.trim().replace(/^\/\/ ?/, '')).join('\n')

// {declaration, comment, line} of each commented declaration in namespace goro. A class is one, and
// so is each commented member of it.
export function declarations(source) {
  const lines = source.split('\n')
  const found = []
  let comment = []
  let hidden = 0 // so many braces are open inside of something that is not shown
  let isPrivate = false
  for (let i = 0; i < lines.length; ++i) {
    const line = lines[i]
    const text = line.trim()
    const braces = (line.replace(/"[^"]*"|'.'|\/\/.*/g, '').match(/[{}]/g) ?? []).reduce((sum, c) => sum + (c === '{' ? 1 : -1), 0)
    if (hidden > 0) {
      hidden += braces
      comment = []
      continue
    }
    if (/^namespace [\w:]*detail\b/.test(text)) {
      hidden = Math.max(braces, 0)
      comment = []
      continue
    }
    if (/^(private|protected):/.test(text)) isPrivate = true
    if (/^(public:|};|class |struct |template)/.test(text)) isPrivate = false
    // A quote's marker is no comment, and what is deeper than a member is a body's.
    if (/^\/\/ \[\/?[\w-]+\]$/.test(text)) continue
    if (text.startsWith('//') && line.length - line.trimStart().length <= 2) {
      comment.push(text)
      continue
    }
    if (comment.length === 0 || text === '' || text.startsWith('#') || text.startsWith('namespace')) {
      comment = []
      continue
    }
    if (!isPrivate) {
      // As far as its body, or its end.
      let declaration = ''
      const indentation = line.length - line.trimStart().length
      for (let j = i; j < lines.length && j < i + 12; ++j) {
        if (/^requires requires \{/.test(lines[j].trim())) while (lines[j].trim() !== '}') ++j
        // What a template requires is in the header.
        const part = lines[j].replace(/\s*\/\/.*$/, '').replace(/^\}$/, '').replace(/^\s*requires std\S+$/, '').replace(/^requires\(.*\) (?=\S+$)/, '')
        if (part.trim() === '') continue
        const end = part.search(/\{|;|\s:\s(?!:)/)
        declaration += (declaration ? '\n' : '') + (end < 0 ? part : part.slice(0, end)).slice(Math.min(indentation, part.length - part.trimStart().length)).trimEnd()
        if (end >= 0) break
      }
      if (/^(class|struct|template|using|enum|inline|constexpr|\[\[|[A-Za-z_:~])/.test(declaration) && !/\bdetail::/.test(declaration)) {
        found.push({ declaration: declaration.trim(), comment: withoutSlashes(comment), line: i + 1, isMember: indentation > 0 })
      }
    }
    comment = []
  }
  return found
}

// What a declaration is called.
export function nameOf(declaration) {
  const plain = declaration.replace(/template <[^\n]*>\n/, '').replace(/\[\[[^\]]*\]\]\s*/g, '').trim()
  const type = plain.match(/^(?:class|struct|enum class|enum|using)\s+(\w+)/)
  if (type) return type[1]
  const conversion = plain.match(/operator \w+/)
  if (conversion) return conversion[0]
  const callable = plain.match(/(~?\w+|operator[^\s(]+)\s*\(/)
  return callable ? callable[1] + '()' : plain.match(/(\w+)\s*(?:=|$)/)?.[1] ?? plain
}

// < and { are the site's own outside of code.
const asText = (comment) => comment.replace(/[<>]/g, (c) => (c === '<' ? '&lt;' : '&gt;')).replaceAll('{{', '{&#8203;{').replace(/\*/g, '\\*')

export function apiPage(root, header) {
  const source = readFileSync(join(root, folder, header), 'utf8')
  const first = []
  for (const line of source.split('\n')) {
    if (!line.startsWith('//')) break
    first.push(line)
  }
  const all = declarations(source)
  const parts = all.map(({ declaration, comment, line, isMember }) =>
    `${isMember ? '###' : '##'} \`${nameOf(declaration)}\`\n\n\`\`\`cpp\n${declaration}\n\`\`\`\n\n${asText(comment)}\n\n<small>[${header}:${line}](../../${folder}/${header}#L${line})</small>\n`)
  return `# goro/${header}\n\n${asText(withoutSlashes(first))}\n\n\`#include "goro/${header}"\`\n\n${parts.join('\n')}`
}

// Writes them all below `site`.
export function writeApi(root, site) {
  const out = join(site, 'docs/api')
  mkdirSync(out, { recursive: true })
  for (const header of readdirSync(join(root, folder)).filter((name) => name.endsWith('.h') && name !== 'goro.h').sort()) {
    writeFileSync(join(out, header.replace('.h', '.md')), apiPage(root, header))
  }
}
