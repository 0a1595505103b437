// docs/ko/translations.py, in a small repository of its own.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, beforeEach, describe, it } from 'node:test'
import { root } from './browser.mjs'

const english = `# A page

Words. [Another](other.md#a-part)

<!-- quote: code.cpp#one -->
\`\`\`cpp
int one;
\`\`\`

## A part
`
const korean = `# 페이지

말. [다른 것](other.md#a-part)

<!-- quote: code.cpp#one -->

## 부분
`

describe('translations.py', { timeout: 60_000 }, () => {
  const tree = mkdtempSync(join(tmpdir(), 'goro-translations-'))
  after(() => rmSync(tree, { recursive: true }))

  const write = (path, text) => writeFileSync(join(tree, path), text)
  const read = (path) => readFileSync(join(tree, path), 'utf8')
  const git = (...words) => assert.equal(spawnSync('git', ['-C', tree, '-c', 'user.name=A', '-c', 'user.email=a@b', ...words]).status, 0)
  const run = (...words) => spawnSync(join(tree, 'docs/ko/translations.py'), words, { cwd: tree, encoding: 'utf8' })

  function complains(what) {
    const { status, stdout } = run('check')
    assert.equal(status, 1)
    assert.match(stdout, what)
    assert.equal(stdout.trim().split('\n').length, 1, stdout)
  }

  beforeEach(() => {
    rmSync(tree, { recursive: true })
    mkdirSync(join(tree, 'docs/ko'), { recursive: true })
    cpSync(join(root, 'docs/ko/translations.py'), join(tree, 'docs/ko/translations.py'))
    write('docs/page.md', english)
    write('docs/other.md', '# Another\n\n## A part\n')
    write('docs/ko/page.md', korean)
    git('init', '-q')
    git('add', '-A')
    git('commit', '-qm', 'First')
    assert.equal(run('stamp', 'docs/ko/page.md').stderr, '')
  })

  it('is content with a page that was stamped, and has brought its quotes and links', () => {
    assert.equal(run('check').stdout, '')
    assert.equal(run('check').status, 0)
    assert.match(read('docs/ko/page.md'), /<!-- quote: code\.cpp#one -->\n```cpp\nint one;\n```\n\n## 부분/)
    assert.match(read('docs/ko/page.md'), /\]\(\.\.\/other\.md#a-part\)/)
  })

  it('names a page whose source says something else, and shows what', () => {
    write('docs/page.md', english.replace('Words.', 'Other words.'))
    complains(/^docs\/ko\/page\.md: docs\/page\.md has changed .*translations\.py changes docs\/ko\/page\.md\n/)
    assert.match(run('changes', 'docs/ko/page.md').stdout, /-Words\.[^]*\+Other words\./)
  })

  it('does not call a page stale because quoted code or line breaks changed', () => {
    write('docs/page.md', english.replace('int one', 'int two').replace('Words. ', 'Words.\n'))
    assert.equal(run('check').stdout, '')
  })

  it('names a page whose source is gone', () => {
    rmSync(join(tree, 'docs/page.md'))
    complains(/^docs\/ko\/page\.md: its source docs\/page\.md is gone/)
  })

  it('names a chapter that is not translated', () => {
    mkdirSync(join(tree, 'docs/chapters'))
    write('docs/chapters/01-one.md', english)
    complains(/^docs\/chapters\/01-one\.md has no Korean page; write docs\/ko\/chapters\/01-one\.md/)
  })

  it('names a page that was never stamped', () => {
    write('docs/ko/page.md', korean)
    complains(/^docs\/ko\/page\.md:1: .*stamp docs\/ko\/page\.md\n/)
  })

  it('does not stamp a page that lacks a part of its source', () => {
    write('docs/ko/page.md', korean.replace('## 부분', ''))
    const { status, stderr } = run('stamp', 'docs/ko/page.md')
    assert.equal(status, 2)
    assert.match(stderr, /^docs\/page\.md:10: a heading of level 2, which docs\/ko\/page\.md does not have\n/)
  })

  it('leads links to a Korean page as soon as there is one', () => {
    write('docs/ko/other.md', '# 다른 것\n\n## 그 부분\n')
    run('stamp', 'docs/ko/other.md')
    complains(/^docs\/ko\/page\.md: links .*: docs\/ko\/translations\.py links\n/)
    assert.equal(run('links').status, 0)
    assert.match(read('docs/ko/page.md'), /\]\(other\.md#그-부분\)/)
    assert.equal(run('check').stdout, '')
  })

  it('names emphasis that Markdown does not see the end of', () => {
    write('docs/ko/page.md', korean.replace('말.', '**말(words)**은'))
    run('stamp', 'docs/ko/page.md')
    complains(/^docs\/ko\/page\.md:4: emphasis/)
  })
})
