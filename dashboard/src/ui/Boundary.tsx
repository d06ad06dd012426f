// A page that fails while it is drawn says so; without this, all around it would go with it.

import { Component, type ReactNode } from 'react';

interface State {
  error?: unknown;
}

export class Boundary extends Component<{ children: ReactNode }, State> {
  override state: State = {};

  static getDerivedStateFromError(error: unknown): State {
    return { error };
  }

  override render() {
    const { error } = this.state;
    if (error === undefined) return this.props.children;
    return (
      <div className="failure" role="alert">
        <span className="grow">
          <strong>This page could not be drawn: that is a mistake in it.</strong> {String(error)}
        </span>
        <button type="button" className="button" onClick={() => this.setState({ error: undefined })}>
          Try again
        </button>
      </div>
    );
  }
}
