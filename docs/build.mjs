// Builds the site: ./course docs, which calls it with the grader and docs_scenes (docs/examples), or
// with --viewer for the viewer alone. Brings the pages of the whole tree together in build/site, where
// the packages of npm are, and lets VitePress make build/docs of them.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { writeApi } from './api.mjs'
import { record } from './record.mjs'
import { serve } from './serve.mjs'

const docs = dirname(fileURLToPath(import.meta.url))
const root = resolve(docs, '..')
const site = join(root, 'build/site')

function fail(text) {
  console.error(`course: ${text}`)
  process.exit(3)
}

function run(command, what) {
  const ended = spawnSync(command[0], command.slice(1), { cwd: site, stdio: 'inherit', env: { ...process.env, GORO_COURSE_ROOT: root } })
  if (ended.status !== 0) fail(what)
}

// The versions that package-lock.json names, checked against its hashes. No package's own scripts
// are run. Only when the file has changed, so a second time needs no network. Not `npm ci`: newer
// ones want entries for all platforms that a package could be installed on.
function installPackages() {
  const lock = readFileSync(join(docs, 'package-lock.json'))
  const installed = join(site, 'node_modules/installed-lock.json')
  if (existsSync(installed) && readFileSync(installed).equals(lock)) return
  mkdirSync(site, { recursive: true })
  for (const name of ['package.json', 'package-lock.json']) cpSync(join(docs, name), join(site, name))
  run(['npm', 'install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], 'npm could not install the packages of docs/package-lock.json; the first time needs the network')
  writeFileSync(installed, lock)
}

// Every page and picture of the tree that git does not ignore, at its own path.
function bringPages() {
  for (const name of readdirSync(site)) {
    if (name !== 'node_modules' && !name.startsWith('package')) rmSync(join(site, name), { recursive: true })
  }
  const listed = spawnSync('git', ['-C', root, 'ls-files', '-z', '--cached', '--others', '--exclude-standard', '--', '*.md', '*.svg', '*.png'], { encoding: 'utf8' })
  if (listed.status !== 0) fail(`git does not list the pages: ${listed.stderr}`)
  for (const path of listed.stdout.split('\0').filter((path) => path && existsSync(join(root, path)))) {
    cpSync(join(root, path), join(site, path))
  }
  cpSync(join(docs, '.vitepress'), join(site, '.vitepress'), { recursive: true })
}

installPackages()
if (process.argv.includes('--viewer')) {
  run(['node', join(docs, 'viewer/bundle.mjs')], 'the viewer was not made; what is above says why')
  process.exit(0)
}
bringPages()
writeApi(root, site)
const [grader, scenes] = process.argv.slice(2).filter((argument) => !argument.startsWith('--'))
try {
  const recorded = grader && scenes ? record(root, grader, scenes) : { names: [], linked: [] }
  writeFileSync(join(site, 'recorded.json'), JSON.stringify(recorded))
} catch (error) {
  fail(error.message)
}
run(['node', 'node_modules/vitepress/bin/vitepress.js', 'build', '.'], 'the site was not built; what is above says why')
console.log('The site is in build/docs.')
if (process.argv.includes('--serve')) {
  const { url } = await serve(join(root, 'build/docs'))
  console.log(`Look at it: ${url} (until Ctrl-C)`)
} else {
  console.log('./course docs --serve shows it; a browser does not load it from the disk.')
}
