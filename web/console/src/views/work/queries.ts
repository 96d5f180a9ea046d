import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { tool } from '../../api/api'
import type { Activity, Issue, IssueRow, List, Project, ProjectRow } from '../../api/tracker'

const fields = ['title', 'status', 'category', 'type', 'priority', 'assignee', 'labels', 'points', 'updated']

export const useIssues = (filter: object) =>
  useInfiniteQuery({
    queryKey: ['issues', filter],
    queryFn: ({ pageParam, signal }) =>
      tool<List<IssueRow>>('search_issues', { ...filter, fields, limit: 50, ...(pageParam && { cursor: pageParam }) }, signal),
    initialPageParam: '',
    getNextPageParam: (page) => page.next_cursor,
  })

export const issueKey = (key: string) => ['issue', key]

export const useIssue = (key: string) =>
  useQuery({
    queryKey: issueKey(key),
    queryFn: async ({ signal }) => {
      const answer = await tool<{ issues: Issue[] }>('get_issue', { keys: [key], include: ['comments', 'history', 'relations', 'children', 'attachments'] }, signal)
      return answer.issues[0] ?? null
    },
  })

export const useProject = (key: string) =>
  useQuery({
    queryKey: ['project', key],
    queryFn: ({ signal }) => tool<Project>('get_project', { project: key, include: ['workflow', 'issue_types', 'labels', 'members', 'sprints', 'stats'] }, signal),
    enabled: key !== '',
    staleTime: 120_000,
  })

export const useProjectList = (state: string) =>
  useQuery({
    queryKey: ['projects', state],
    queryFn: ({ signal }) => tool<List<ProjectRow>>('list_projects', { state, limit: 100, fields: ['name', 'description', 'state', 'lead', 'open', 'total'] }, signal),
  })

export const useRecent = (filter: object) =>
  useQuery({
    queryKey: ['activity', filter],
    queryFn: ({ signal }) => tool<List<Activity>>('list_activity', { limit: 12, ...filter }, signal),
  })

export type IssueChange = Partial<Pick<Issue, 'status' | 'title' | 'description' | 'priority'>> & { assignee?: string | null }

/** Changes an issue: shown at once, taken back if the server refuses. */
export function useIssueChange(key: string) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (change: IssueChange) => {
      const version = queries.getQueryData<Issue>(issueKey(key))?.version
      return tool('update_issue', { key, ...change, ...(version && { expected_version: version }) })
    },
    onMutate: async (change) => {
      await queries.cancelQueries({ queryKey: issueKey(key) })
      const before = queries.getQueryData<Issue>(issueKey(key))
      if (before) queries.setQueryData(issueKey(key), { ...before, ...change, assignee: change.assignee === null ? undefined : (change.assignee ?? before.assignee) })
      // The version stays what was read, so that the server can tell a stale change.
      return { before }
    },
    onError: (_error, _change, context) => {
      if (context?.before) queries.setQueryData(issueKey(key), context.before)
    },
    onSettled: () =>
      Promise.all([queries.invalidateQueries({ queryKey: issueKey(key) }), queries.invalidateQueries({ queryKey: ['issues'] })]),
  })
}

export function useComment(key: string) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (body: string) => tool('add_comment', { key, body }),
    onSettled: () => queries.invalidateQueries({ queryKey: issueKey(key) }),
  })
}

/** Attaches a file, or takes one away. */
export function useAttach(key: string) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: async (change: { file: File } | { remove: string }) =>
      tool('add_attachment', 'remove' in change ? { key, remove_file: change.remove } : { key, name: change.file.name, data: await dataOf(change.file) }),
    onSettled: () => queries.invalidateQueries({ queryKey: issueKey(key) }),
  })
}

/** A file as a data: URL. */
const dataOf = (file: File) =>
  new Promise<string>((done, failed) => {
    const reader = new FileReader()
    reader.onload = () => done(reader.result as string)
    reader.onerror = () => failed(new Error(`${file.name} cannot be read.`))
    reader.readAsDataURL(file)
  })

export function useCreateIssue() {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (issue: { project: string; title: string; description?: string; type?: string }) => tool<{ key: string }>('create_issue', issue),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['issues'] }),
  })
}

export function useCreateProject() {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (project: { name: string; key?: string; template?: string }) => tool<{ key: string }>('create_project', project),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['projects'] }),
  })
}
