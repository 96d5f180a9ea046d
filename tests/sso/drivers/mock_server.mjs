// An OpenID provider by the npm package oauth2-mock-server, which signs whatever it is
// told: POST /bend {claims, header} changes the next ID token. Argument: JSON {port}.
import http from 'node:http'
import { OAuth2Server } from 'oauth2-mock-server'

const { port, control } = JSON.parse(process.argv[2])
const server = new OAuth2Server()
await server.issuer.keys.generate('RS256')
await server.start(port, '127.0.0.1')
server.issuer.url = `http://127.0.0.1:${port}`
let bend = {}
server.service.on('beforeTokenSigning', (token) => {
  for (const [name, value] of Object.entries(bend.claims ?? {})) {
    if (value === null) delete token.payload[name]
    else token.payload[name] = value
  }
  Object.assign(token.header, bend.header ?? {})
})
http
  .createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => (body += chunk))
    request.on('end', () => {
      bend = JSON.parse(body)
      response.end('{}')
    })
  })
  .listen(control, '127.0.0.1', () => console.log('ready'))
