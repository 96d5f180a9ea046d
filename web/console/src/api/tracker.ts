/** What the tools of the catalogue answer: docs/tools.md describes each. */
export interface ProjectRow {
  key: string
  name: string
  state: string
  lead?: string
  description?: string
  open: number
  total: number
}

export type Category = 'todo' | 'in_progress' | 'done' | 'cancelled'

export interface Status {
  name: string
  category: Category
  next: string[]
}

export interface Person {
  email: string
  name: string
  role: string
}

export interface Sprint {
  name: string
  state: string
  goal?: string
  start?: string
  end?: string
  issues?: number
}

export interface Project {
  key: string
  name: string
  description?: string
  state: string
  lead?: string
  template: string
  timezone: string
  workflow?: Status[]
  issue_types?: string[]
  labels?: { value: string; count: number }[]
  members?: Person[]
  sprints?: Sprint[]
  stats?: Record<string, unknown>
}

export interface IssueRow {
  key: string
  title: string
  status: string
  category?: Category
  type?: string
  priority: string
  assignee?: string
  labels?: string[]
  points?: number
  sprint?: string
  due_date?: string
  updated: string
}

export interface Change {
  at: string
  actor: string
  via?: string
  kind: string
  field?: string
  before?: unknown
  after?: unknown
}

export interface Comment {
  id: string
  author: string
  at: string
  body: string
  reply_to?: string
}

export interface Attachment {
  id: string
  name: string
  type: string
  size: number
  author?: string
  agent?: string
  at: string
}

export interface Issue extends IssueRow {
  category: Category
  reporter?: string
  parent?: string
  created: string
  completed?: string
  version: number
  description?: string
  next_statuses: string[]
  comments?: Comment[]
  attachments?: Attachment[]
  history?: Change[]
  relations?: { relation: string; key: string; title: string; status: string }[]
  children?: { key: string; title: string; status: string }[]
}

export interface Activity extends Change {
  key: string
  title: string
}

export interface List<T> {
  items: T[]
  total: number
  returned: number
  next_cursor?: string
}
