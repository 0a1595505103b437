// Makes one page of the viewer, build/viewer/viewer.html, with everything in it but a recording.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const viewer = dirname(fileURLToPath(import.meta.url))
const root = resolve(viewer, '../..')
const packages = join(root, 'build/site/node_modules')
const esbuild = createRequire(join(root, 'build/site/package.json'))('esbuild')

async function bundled(entry) {
  const made = await esbuild.build({
    entryPoints: [join(viewer, 'src', entry)],
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    charset: 'utf8',
    target: 'es2020',
    legalComments: 'inline',
    nodePaths: [packages],
  })
  return made.outputFiles[0].text.trim()
}

const script = await bundled('main.js')
const style = await bundled('viewer.css')
const page = readFileSync(join(viewer, 'src/page.html'), 'utf8')
  .replace('/* style */', () => style)
  .replace('/* script */', () => script.replaceAll('</script', '<\\/script'))
mkdirSync(join(root, 'build/viewer'), { recursive: true })
writeFileSync(join(root, 'build/viewer/viewer.html'), page)
