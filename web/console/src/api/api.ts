import { authorized } from '../session/store'
import { type Query, request, requestFile } from './http'
import type { components, paths } from './schema'

export type Schemas = components['schemas']
export type Token = Schemas['Token']
export type Member = Schemas['Member']
export type AuditRow = Schemas['AuditRow']
export type Session = Schemas['Session']

type Answer<P extends keyof paths, M extends 'get' | 'post' | 'put' | 'patch' | 'delete'> = paths[P][M] extends {
  responses: { 200: { content: { 'application/json': infer A } } }
}
  ? A
  : void

interface Options {
  id?: string
  query?: Query
  signal?: AbortSignal
}

const filled = (path: string, id?: string) => (id === undefined ? path : path.replace(/\{\w+\}/, encodeURIComponent(id)))

function call<A>(method: string, path: string, { id, query, signal }: Options, body?: unknown): Promise<A> {
  return authorized((token) => request<A>(method, filled(path, id), { token, query, body, signal }))
}

export const get = <P extends keyof paths>(path: P, o: Options = {}) => call<Answer<P, 'get'>>('GET', path, o)
export const post = <P extends keyof paths>(path: P, body?: unknown, o: Options = {}) => call<Answer<P, 'post'>>('POST', path, o, body)
export const put = <P extends keyof paths>(path: P, body: unknown, o: Options = {}) => call<Answer<P, 'put'>>('PUT', path, o, body)
export const patch = <P extends keyof paths>(path: P, body: unknown, o: Options = {}) => call<Answer<P, 'patch'>>('PATCH', path, o, body)
export const remove = <P extends keyof paths>(path: P, o: Options = {}) => call<Answer<P, 'delete'>>('DELETE', path, o)

/** A file that the API gives. */
export const file = (path: keyof paths, id?: string) => authorized((token) => requestFile(filled(path, id), { token }))

/** Runs a tool of the catalogue, as agents do, under the member's own permissions. */
export const tool = <A>(name: string, args: object, signal?: AbortSignal) =>
  call<A>('POST', '/api/v1/tools/{name}', { id: name, signal }, args)
