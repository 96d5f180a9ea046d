import { type ReactNode, useEffect } from 'react'
import { useLocation } from 'react-router'
import { signOut, useSession } from './session/store'
import { Icon, type IconName } from './ui/icon'
import { NavTo, useGo } from './ui/link'
import { Menu, MenuItem, MenuLine } from './ui/menu'
import { Boundary } from './ui/boundary'
import { say } from './ui/toast'
import { sentence } from './ui/states'
import { type Theme, usePreferences } from './ui/theme'

const places: { to: string; icon: IconName; name: string; admin?: boolean }[] = [
  { to: '/', icon: 'home', name: 'Home' },
  { to: '/issues', icon: 'list', name: 'Issues' },
  { to: '/projects', icon: 'folder', name: 'Projects' },
  { to: '/reports', icon: 'chart', name: 'Reports' },
  { to: '/pages', icon: 'page', name: 'Pages' },
  { to: '/tokens', icon: 'key', name: 'Tokens' },
  { to: '/activity', icon: 'pulse', name: 'Activity', admin: true },
  { to: '/members', icon: 'people', name: 'Members' },
  { to: '/sso', icon: 'shield', name: 'Sign-in', admin: true },
  { to: '/settings', icon: 'settings', name: 'Settings', admin: true },
]

/** Whether a member administers the tenant; the server decides, this hides what it would refuse. */
export const useAdmin = () => useSession((s) => s.me?.role === 'admin' || s.me?.role === 'owner')

/** The frame around every view. */
export function Layout({ children }: { children: ReactNode }) {
  const slug = useSession((s) => s.slug)
  const admin = useAdmin()
  const { pathname } = useLocation()
  useEffect(() => {
    document.querySelector('nav a.active')?.scrollIntoView({ block: 'nearest', inline: 'center' })
  }, [pathname])
  return (
    <div className="layout">
      <a className="skip" href="#main">
        Skip to the view
      </a>
      <aside>
        <div className="brand">
          <Mark /> <b>ColaFlow</b> <span className="soft clip">{slug}</span>
        </div>
        <nav aria-label="Main">
          {places
            .filter((p) => admin || !p.admin)
            .map((p) => (
              <NavTo key={p.to} to={p.to} end={p.to === '/'}>
                <Icon name={p.icon} /> {p.name}
              </NavTo>
            ))}
        </nav>
        <Person />
      </aside>
      <main id="main" tabIndex={-1}>
        <Boundary key={pathname}>{children}</Boundary>
      </main>
    </div>
  )
}

/** The sign of the product. */
export const Mark = () => (
  <svg className="mark" viewBox="0 0 32 32" width="22" height="22" aria-hidden="true">
    <rect width="32" height="32" rx="8" />
    <path d="M21.5 11.5a7 7 0 1 0 0 9" />
    <circle cx="23" cy="16" r="2.2" />
  </svg>
)

const themes: [Theme, string][] = [
  ['system', 'Colours of the system'],
  ['light', 'Light'],
  ['dark', 'Dark'],
]

function Person() {
  const me = useSession((s) => s.me)
  const go = useGo()
  const theme = usePreferences((p) => p.theme)
  if (!me) return null
  const leave = () => signOut().catch((e: unknown) => say(sentence(e), true))
  return (
    <Menu
      button={
        <button type="button" className="person">
          <Icon name="person" />
          <span className="hidden">Account of</span>
          <span className="who clip">
            {me.name || me.email}
            <small>{me.role}</small>
          </span>
        </button>
      }
    >
      <MenuItem onSelect={() => go('/account')}>Sessions and preferences</MenuItem>
      <MenuLine />
      {themes.map(([name, text]) => (
        <MenuItem key={name} onSelect={() => usePreferences.setState({ theme: name })}>
          {text} {theme === name && <Icon name="check" />}
        </MenuItem>
      ))}
      <MenuLine />
      <MenuItem onSelect={leave}>Sign out</MenuItem>
    </Menu>
  )
}
