// Records the scenes of docs/examples/scenes.cpp for the book: build/recordings/NAME.html. Each has
// to show what it is named after; a machine that is busy may need another try for that.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { decodeRun } from './viewer/src/recording.js'
import { rules } from './viewer/src/rules.js'
import { makeSteps } from './viewer/src/steps.js'

const kTries = 8

export function recordingOf(page) {
  return JSON.parse(readFileSync(page, 'utf8').match(/<script type="application\/json" id="recording">(.*?)<\/script>/s)[1])
}

function shows(recording, name) {
  return recording.runs.some((run) => makeSteps(decodeRun(run), recording.reasons).steps.some((step) => rules[step.rule].jump === name))
}

// `grader`, `program`: paths. {names, linked}: the scenes, and all files that their pages link to.
export function record(root, grader, program) {
  const folder = join(root, 'build/recordings')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const linked = new Set()
  const names = []
  const listed = spawnSync(program, { encoding: 'utf8' })
  if (listed.status !== 0) throw new Error(`${program} does not list its scenes`)
  for (const name of listed.stdout.trim().split('\n')) {
    const page = join(folder, `${name}.html`)
    names.push(name)
    for (let i = 0; ; ++i) {
      const ended = spawnSync(grader, ['--course-root', root, 'trace', '--view', '--title', name, '--sources-at', '/code/', '-o', page, program, name], { encoding: 'utf8' })
      if (ended.status !== 0) throw new Error(`the scene ${name} was not recorded: ${ended.stdout}${ended.stderr}`)
      if (shows(recordingOf(page), name)) break
      if (i === kTries) throw new Error(`in ${kTries} recordings of the scene ${name} it never happened`)
    }
    for (const [path] of Object.values(recordingOf(page).functions)) linked.add(path)
  }
  return { names, linked: [...linked] }
}
