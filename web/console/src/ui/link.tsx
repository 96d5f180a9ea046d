import { Link, NavLink, type LinkProps, type NavLinkProps, useLocation, useNavigate } from 'react-router'
import { within } from '../location'

/** A link that keeps to the tenant of the address. */
export function To({ to, ...rest }: Omit<LinkProps, 'to'> & { to: string }) {
  const { search } = useLocation()
  return <Link to={within(search, to)} {...rest} />
}

/** A link of the navigation. */
export function NavTo({ to, ...rest }: Omit<NavLinkProps, 'to'> & { to: string }) {
  const { search } = useLocation()
  return <NavLink to={within(search, to)} {...rest} />
}

/** Goes to a path of the tenant of the address. */
export function useGo() {
  const navigate = useNavigate()
  const { search } = useLocation()
  return (to: string) => void navigate(within(search, to))
}
