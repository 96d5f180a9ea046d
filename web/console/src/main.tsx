import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { QueryClientProvider } from '@tanstack/react-query'
import { BrowserRouter } from 'react-router'
import { queries } from './queries'
import { App } from './app'
import { start } from './session/store'
import { followTheme } from './ui/theme'
import './styles/base.css'
import './styles/parts.css'
import './styles/views.css'

// The nonce with which dialogs may add the style that keeps the page behind still.
const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce
Object.assign(globalThis, { __webpack_nonce__: nonce })

followTheme()
start().catch(() => {}) // the store says what came of it
createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <BrowserRouter>
        <App />
      </BrowserRouter>
    </QueryClientProvider>
  </StrictMode>,
)
