import { describe, expect, it } from 'vitest'
import { choiceOf, grantsOf, inWords, presetOf, projectsInWords, type Vocabulary } from './grants'

const vocabulary: Vocabulary = {
  resources: [
    { name: 'projects', verbs: ['read'] },
    { name: 'issues', verbs: ['read', 'search', 'update'] },
    { name: 'comments', verbs: ['read', 'create'] },
  ],
  presets: [
    { name: 'reader', permissions: { projects: ['read'], issues: ['read', 'search'], comments: ['read'] } },
    { name: 'full', permissions: { projects: ['*'], issues: ['*'], comments: ['*'] } },
  ],
  own: [],
}

describe('grants', () => {
  it('reads stars and denials', () => {
    const choice = choiceOf({ issues: ['*'], deny: { issues: ['update'] }, only_projects: ['WEB'] }, vocabulary)
    expect([...choice.allowed]).toEqual(['issues:read', 'issues:search'])
    expect(choice.projects).toEqual(['WEB'])
  })

  it('writes what it read', () => {
    const stored = { issues: ['read', 'update'], comments: ['read'], only_projects: [] }
    expect(grantsOf(choiceOf(stored, vocabulary), vocabulary)).toEqual(stored)
    expect(grantsOf({ allowed: new Set(), projects: null }, vocabulary)).toEqual({})
  })

  it('knows presets', () => {
    expect(presetOf(choiceOf({ projects: ['read'], issues: ['search', 'read'], comments: ['read'] }, vocabulary).allowed, vocabulary)).toBe('reader')
    expect(presetOf(new Set(['issues:read']), vocabulary)).toBe('')
  })

  it.each([
    [{}, 'nothing', 'all projects'],
    [{ projects: ['*'], issues: ['*'], comments: ['*'] }, 'everything', 'all projects'],
    [{ issues: ['*'], comments: ['create'], only_projects: ['API', 'WEB'] }, 'all of issues; create comments', 'only API, WEB'],
    [{ issues: ['read', 'search'], only_projects: [] }, 'read, search issues', 'no project'],
  ])('says %j', (permissions, words, projects) => {
    expect(inWords({ permissions }, vocabulary)).toBe(words)
    expect(projectsInWords({ permissions })).toBe(projects)
  })
})
