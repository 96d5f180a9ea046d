import { expect, it } from 'vitest'
import { relative } from './relative'

it.each([
  [0, 'now'],
  [-9_000, 'now'],
  [-30_000, '30 sec. ago'],
  [-90_000, '1 min. ago'],
  [-3_600_000, '1 hr. ago'],
  [86_400_000, 'tomorrow'],
  [-40 * 86_400_000, 'last mo.'],
])('says %i ms as %s', (ms, text) => {
  expect(relative(ms, 'en')).toBe(text)
})
