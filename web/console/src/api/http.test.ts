import { expect, it } from 'vitest'
import { fileName } from './http'

it.each([
  ['attachment; filename=notes.txt', 'notes.txt'],
  ['attachment; filename="build log.txt"', 'build log.txt'],
  ['attachment; filename="a \\"quoted\\" name.txt"', 'a "quoted" name.txt'],
  ["attachment; filename*=utf-8''%E6%97%A5%E6%9C%AC.md", '日本.md'],
  ["attachment; filename*=utf-8''a%3Bb.txt; size=1", 'a;b.txt'],
  ['attachment', 'file'],
  ['', 'file'],
])('reads the name in %s', (header, name) => {
  expect(fileName(header)).toBe(name)
})
