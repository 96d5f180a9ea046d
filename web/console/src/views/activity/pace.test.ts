import { expect, it } from 'vitest'
import { ApiError } from '../../api/http'
import { pace } from './pace'

it.each([
  ['nothing yet', undefined, null, 5_000],
  ['the newest page', { pages: [1] }, null, 5_000],
  ['older pages too', { pages: [1, 2] }, null, false],
  ['a server that is away', undefined, new ApiError(503, 'unavailable', ''), 5_000],
  ['a search that takes too long', undefined, new ApiError(413, 'too_large', ''), false],
])('asks again with %s', (_, data, error, want) => {
  expect(pace({ state: { data, error } })).toBe(want)
})
