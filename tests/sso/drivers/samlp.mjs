// A SAML 2.0 identity provider by the npm package samlp. Argument: JSON {port, cert, key,
// acs (a file), audience, user, signResponse, signatureAlgorithm, digestAlgorithm}.
import fs from 'node:fs'
import http from 'node:http'
import samlp from 'samlp'

const o = JSON.parse(process.argv[2])
const [cert, key] = [fs.readFileSync(o.cert), fs.readFileSync(o.key)]
const issuer = `http://127.0.0.1:${o.port}`
const auth = (acs) => samlp.auth({
  issuer, cert, key, signResponse: o.signResponse, signAssertion: !o.signResponse,
  signatureAlgorithm: o.signatureAlgorithm ?? 'rsa-sha256', digestAlgorithm: o.digestAlgorithm ?? 'sha256',
  recipient: acs, destination: acs,
  getPostURL: (audience, request, req, done) => done(null, acs),
  getUserFromRequest: () => o.user,
})
const metadata = samlp.metadata({ issuer, cert, redirectEndpointPath: '/sso', postEndpointPath: '/sso', logoutEndpointPaths: { redirect: '/logout' } })
http
  .createServer((req, res) => {
    const url = new URL(req.url, issuer)
    req.query = Object.fromEntries(url.searchParams)
    req.protocol = 'http'
    req.originalUrl = req.url
    res.set = (name, value) => res.setHeader(name, value)
    res.send = (body) => res.end(body)
    const handle = url.pathname === '/metadata' ? metadata : auth(fs.readFileSync(o.acs, 'utf8'))
    handle(req, res, (err) => {
      res.statusCode = 500
      res.end(String(err))
    })
  })
  .listen(o.port, '127.0.0.1', () => console.log('ready'))
