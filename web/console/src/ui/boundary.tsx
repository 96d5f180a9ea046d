import { Component, type ReactNode } from 'react'
import { Button } from './button'
import { Empty } from './states'

/** Keeps a view that breaks from taking the frame with it. */
export class Boundary extends Component<{ children: ReactNode }, { broken: boolean }> {
  state = { broken: false }

  static getDerivedStateFromError() {
    return { broken: true }
  }

  render() {
    if (!this.state.broken) return this.props.children
    return (
      <Empty icon="alert" title="This view broke">
        <p>A newer version of the console may be there.</p>
        <Button onClick={() => window.location.reload()}>Reload</Button>
      </Empty>
    )
  }
}
