import { asked } from '../session/tenant'
import { withQuery } from '../location'

/** What the server says went wrong. */
export class ApiError extends Error {
  status: number
  code: string
  next: string

  constructor(status: number, code: string, message: string, next = '') {
    super(message)
    this.status = status
    this.code = code
    this.next = next
  }
}

export type Query = Record<string, string | number | null | undefined>

export interface RequestOptions {
  token?: string
  query?: Query
  body?: unknown
  signal?: AbortSignal
}

/** One request to the JSON API, for the tenant that the page's address names. */
export async function request<T>(method: string, path: string, options: RequestOptions = {}): Promise<T> {
  const response = await send(method, path, options)
  return response.status === 204 ? (undefined as T) : ((await response.json()) as T)
}

/** A request whose answer is a file, with the name that the server gives it. */
export async function requestFile(path: string, options: RequestOptions): Promise<File> {
  const response = await send('GET', path, options)
  return new File([await response.blob()], fileName(response.headers.get('Content-Disposition') ?? ''))
}

/** The name that a Content-Disposition (RFC 6266) gives a file. */
export function fileName(disposition: string): string {
  const encoded = /filename\*=utf-8''([^;]+)/i.exec(disposition)
  if (encoded?.[1]) return decodeURIComponent(encoded[1])
  const plain = /filename=(?:"((?:[^"\\]|\\.)*)"|([^;]+))/i.exec(disposition)
  return plain?.[1]?.replace(/\\(.)/g, '$1') ?? plain?.[2]?.trim() ?? 'file'
}

async function send(method: string, path: string, { token, query, body, signal }: RequestOptions): Promise<Response> {
  const headers: Record<string, string> = { 'X-Requested-With': 'console' }
  if (token) headers.Authorization = `Bearer ${token}`
  if (body !== undefined) headers['Content-Type'] = 'application/json'
  const response = await fetch(withQuery(path, { ...query, tenant: asked() }), {
    method,
    headers,
    signal,
    body: body === undefined ? null : JSON.stringify(body),
  }).catch((e: unknown) => {
    if (signal?.aborted) throw e
    throw new ApiError(0, 'unreachable', 'The server cannot be reached.', 'Check your connection.')
  })
  if (response.ok) return response
  const answer: unknown = await response.json().catch(() => null)
  const { error = 'internal', message = `The server answered ${response.status}.`, next = '' } = (answer ?? {}) as Record<string, string>
  throw new ApiError(response.status, error, message, next)
}
