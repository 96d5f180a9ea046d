import { expect, it } from 'vitest'
import { drawingOf } from './series'

const series = { x: ['a', 'b'], lines: [{ name: 'todo', values: [1, 2] }, { name: 'done', values: [3, null] }] }

it('draws lines as they are', () => {
  expect(drawingOf('sprint_burndown', series)).toMatchObject({ kind: 'lines', names: ['todo', 'done'], values: [[1, 2], [3, null]] })
})

it('draws one line of counts as bars', () => {
  expect(drawingOf('throughput', { x: ['a'], lines: [{ name: 'done', values: [2] }] }).kind).toBe('bars')
  expect(drawingOf('velocity', series).kind).toBe('lines')
})

it('stacks what adds up, and keeps the numbers', () => {
  const flow = drawingOf('cumulative_flow', series)
  expect(flow).toMatchObject({ kind: 'bands', values: [[4, 2], [3, null]], shown: [[1, 2], [3, null]] })
})
