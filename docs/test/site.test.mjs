// The site as it was built last, as files and in a browser.
import assert from 'node:assert/strict'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join, posix } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { serve } from '../serve.mjs'
import { openBrowser, root } from './browser.mjs'

const built = join(root, 'build/docs')

function filesIn(folder) {
  return readdirSync(join(built, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = posix.join(folder, entry.name)
    return entry.isDirectory() ? filesIn(path) : [path]
  })
}

const unescaped = (text) => text.replaceAll('&amp;', '&').replaceAll('&quot;', '"').replaceAll('&#39;', "'")

describe('the files of the site', () => {
  // A recording is a page of its own, with its links in its data.
  const html = filesIn('').filter((path) => path.endsWith('.html') && !path.startsWith('recordings/'))
  const content = new Map(html.map((path) => [path, readFileSync(join(built, path), 'utf8')]))
  const ids = new Map()

  function idsOf(path) {
    if (!ids.has(path)) ids.set(path, new Set([...content.get(path).matchAll(/\sid="([^"]*)"/g)].map((found) => unescaped(found[1]))))
    return ids.get(path)
  }

  function fileOf(path) {
    return [path, path + '.html', posix.join(path, 'index.html')].find((name) => name !== '' && /\.\w+$/.test(name) && existsSync(join(built, name)))
  }

  it('lead nowhere that is not there', () => {
    const dead = []
    for (const [from, text] of content) {
      for (const [, raw] of text.matchAll(/\s(?:href|src)="([^"]*)"/g)) {
        const target = unescaped(raw)
        if (/^(?:[a-z]+:|\/\/)/i.test(target)) continue
        const [path, hash = ''] = decodeURI(target).split('#')
        const absolute = path === '' ? from : posix.join(path.startsWith('/') ? '' : posix.dirname(from), path).replace(/^\//, '')
        const file = fileOf(absolute)
        if (file === undefined) dead.push(`${from}: ${target} is not there`)
        else if (hash && content.has(file) && !idsOf(file).has(hash)) dead.push(`${from}: ${target} has no such anchor`)
      }
    }
    assert.deepEqual(dead, [])
  })

  it('need nothing from the network', () => {
    const needed = []
    for (const [path, text] of content) {
      for (const [tag] of text.matchAll(/<(?:script|link|img|iframe)\b[^>]*(?:src|href)="(?:https?:)?\/\/[^>]*>/g)) needed.push(`${path}: ${tag}`)
    }
    assert.deepEqual(needed, [])
  })

  it('have every page of the tree', () => {
    for (const path of ['index.html', 'goro.html', 'docs/index.html', 'docs/glossary.html', 'docs/ko/index.html', 'runtime/bench/index.html']) assert.ok(content.has(path), `${path} is missing`)
    for (const lab of readdirSync(join(root, 'labs'), { withFileTypes: true })) {
      if (lab.isDirectory()) assert.ok(content.has(`labs/${lab.name}/index.html`), `the handout of ${lab.name} is missing`)
    }
  })
})

describe('the site in a browser', { timeout: 600_000 }, () => {
  let server, browser, page

  before(async () => {
    server = await serve(built)
    browser = await openBrowser({ colorScheme: 'light' })
    page = await browser.context.newPage()
  })
  after(async () => {
    await browser?.close()
    server?.close()
  })

  it('goes from the home page to a lab', async () => {
    await page.goto(server.url)
    await page.getByRole('link', { name: 'Start here' }).click()
    await page.waitForURL('**/docs/')
    await page.getByRole('link', { name: 'Lab 01', exact: true }).first().click()
    await page.waitForURL('**/labs/01-context-switch/')
    await page.getByRole('heading', { level: 1 }).waitFor()
  })

  it('finds a word without the network', async () => {
    await page.getByRole('button', { name: /search/i }).first().click()
    await page.getByPlaceholder('Search').fill('runnext')
    const results = page.locator('.VPLocalSearchBox .results .result')
    await results.first().waitFor()
    assert.ok((await results.count()) > 3, 'few pages speak of runnext')
    const places = await results.evaluateAll((all) => all.map((result) => result.getAttribute('href')))
    assert.deepEqual(places.filter((place) => place.includes('/solutions/')), [], 'a search leads to solutions')
    await page.keyboard.press('Escape')
  })

  it('says where quoted code stands, and leads there', async () => {
    await page.goto(server.url + '/goro.html')
    const from = page.locator('.quoted-from a').first()
    const path = await from.textContent()
    await from.click()
    await page.waitForURL('**/code/**')
    assert.equal(await page.getByRole('heading', { level: 1 }).textContent(), path)
    const line = page.locator(':target')
    assert.match(await line.textContent(), /sum_of_squares/)
  })

  it('speaks Korean, and finds Korean words', async () => {
    await page.goto(server.url + '/docs/glossary.html')
    await page.getByRole('button', { name: 'Change language' }).first().hover()
    await page.getByRole('link', { name: '한국어' }).first().click()
    await page.waitForURL('**/docs/ko/glossary.html')
    await page.locator('html[lang=ko]').waitFor()
    await page.locator('.VPSidebar').getByRole('link', { name: '01 문맥 전환' }).waitFor()
    await page.getByRole('button', { name: '검색' }).first().click()
    await page.getByPlaceholder('검색').fill('훔치기')
    const results = page.locator('.VPLocalSearchBox .results .result')
    await results.first().waitFor()
    const places = await results.evaluateAll((all) => all.map((result) => result.getAttribute('href')))
    assert.deepEqual(places.filter((place) => !place.startsWith('/docs/ko/')), [], 'a search in Korean leads to English pages')
    await page.keyboard.press('Escape')
  })

  it('leads from a page that is not translated to the Korean start page', async () => {
    await page.goto(server.url + '/docs/debugging.html')
    await page.getByRole('button', { name: 'Change language' }).first().hover()
    await page.getByRole('link', { name: '한국어' }).first().click()
    await page.waitForURL('**/docs/ko/')
  })

  it('is dark when it is asked to', async () => {
    await page.goto(server.url + '/docs/glossary.html')
    const brightness = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor.match(/\d+/g).slice(0, 3).reduce((sum, n) => sum + Number(n), 0))
    assert.ok((await brightness()) > 600)
    await page.locator('.VPSwitchAppearance').first().click()
    await page.waitForFunction(() => document.documentElement.classList.contains('dark'))
    assert.ok((await brightness()) < 200)
  })

  it('complains of nothing', () => {
    assert.deepEqual(browser.complaints, [])
  })
})
