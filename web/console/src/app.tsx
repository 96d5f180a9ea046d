import { lazy, Suspense } from 'react'
import { Route, Routes } from 'react-router'
import { useSession } from './session/store'
import { Layout } from './layout'
import { SignIn } from './views/signin'
import { Home } from './views/home'
import { Empty, Skeleton } from './ui/states'
import { Toasts } from './ui/toast'

const Welcome = lazy(() => import('./views/welcome'))
const Tokens = lazy(() => import('./views/tokens/list'))
const TokenView = lazy(() => import('./views/tokens/token'))
const Activity = lazy(() => import('./views/activity/view'))
const Members = lazy(() => import('./views/members'))
const Settings = lazy(() => import('./views/settings'))
const SSO = lazy(() => import('./views/sso/list'))
const Account = lazy(() => import('./views/account'))
const Projects = lazy(() => import('./views/work/projects'))
const Project = lazy(() => import('./views/work/project'))
const Issues = lazy(() => import('./views/work/issues'))
const Issue = lazy(() => import('./views/work/issue'))
const Reports = lazy(() => import('./views/work/reports'))
const Pages = lazy(() => import('./views/pages'))

/** The console: the sign-in page, or the views of who is signed in. */
export function App() {
  const status = useSession((s) => s.status)
  if (status !== 'in') return <SignIn />
  return (
    <>
      <Layout>
        <Suspense fallback={<Skeleton />}>
          <Routes>
            <Route path="/" element={<Home />} />
            <Route path="/welcome" element={<Welcome />} />
            <Route path="/tokens" element={<Tokens />} />
            <Route path="/tokens/:id" element={<TokenView />} />
            <Route path="/activity" element={<Activity />} />
            <Route path="/members" element={<Members />} />
            <Route path="/settings" element={<Settings />} />
            <Route path="/sso" element={<SSO />} />
            <Route path="/account" element={<Account />} />
            <Route path="/projects" element={<Projects />} />
            <Route path="/projects/:key" element={<Project />} />
            <Route path="/issues" element={<Issues />} />
            <Route path="/issues/:key" element={<Issue />} />
            <Route path="/reports" element={<Reports />} />
            <Route path="/pages" element={<Pages />} />
            <Route path="*" element={<Empty icon="alert" title="There is no such page" />} />
          </Routes>
        </Suspense>
      </Layout>
      <Toasts />
    </>
  )
}
