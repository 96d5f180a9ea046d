import { expect, it } from 'vitest'
import { tenantParam, within, withQuery } from './location'

it('reads the tenant of a query', () => {
  expect(tenantParam('?tenant=acme&x=1')).toBe('acme')
  expect(tenantParam('?tenant=')).toBeNull()
  expect(tenantParam('')).toBeNull()
})

it('keeps to the tenant, on the bare host and on a subdomain', () => {
  expect(within('?tenant=acme', '/tokens')).toBe('/tokens?tenant=acme')
  expect(within('?tenant=acme', '/issues?project=WEB')).toBe('/issues?project=WEB&tenant=acme')
  expect(within('', '/tokens')).toBe('/tokens')
})

it('leaves out what is empty', () => {
  expect(withQuery('/issues?q=a', { q: '', status: 'Done', n: 0, none: null })).toBe('/issues?status=Done&n=0')
})
