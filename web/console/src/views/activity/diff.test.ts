import { expect, it } from 'vitest'
import { diffOf, inWords } from './diff'

it.each([
  [undefined, []],
  [[{ field: 'status', before: { name: 'To Do' }, after: { name: 'Done' } }], [{ field: 'status', before: 'To Do', after: 'Done' }]],
  [[{ key: 'WEB-1', field: 'labels', before: ['a'], after: ['a', 'b'] }], [{ field: 'WEB-1 labels', before: 'a', after: 'a, b' }]],
  [{ before: { role: 'member', name: 'x' }, after: { role: 'admin', name: 'x' } }, [{ field: 'role', before: 'member', after: 'admin' }]],
  [{ name: { before: 'a', after: 'b' } }, [{ field: 'name', before: 'a', after: 'b' }]],
  [{ role: 'viewer' }, [{ field: 'role', before: '', after: 'viewer' }]],
])('reads %j', (changes, lines) => {
  expect(diffOf(changes)).toEqual(lines)
})

it('says values in words', () => {
  expect(inWords({ issues: ['read'] })).toBe('{"issues":["read"]}')
  expect(inWords(null)).toBe('')
  expect(inWords(3)).toBe('3')
  expect(inWords([{ key: 'WEB-1' }, { value: 'x' }])).toBe('WEB-1, x')
})
