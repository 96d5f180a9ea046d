// Runs one flow: reads its job from standard input, and fails with what went wrong.
import { text } from 'node:stream/consumers'
import { launch } from './stage.js'

const job = JSON.parse(await text(process.stdin))
const { flow } = await import(`./flows/${job.flow}.js`)
const stage = await launch(job)
try {
  await flow(stage)
  stage.quiet()
} catch (error) {
  await stage.snap('failed')
  console.error(error)
  process.exitCode = 1
} finally {
  await stage.close()
}
