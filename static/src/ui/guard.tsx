// SPDX-License-Identifier: MIT
// Keeps the rest of the page alive if one part of it cannot be drawn.

import { Component, type ComponentChildren } from 'preact';

interface GuardProps {
  part: string;
  children: ComponentChildren;
}

export class Guard extends Component<GuardProps, { failure: string }> {
  override state = { failure: '' };

  override componentDidCatch(error: unknown): void {
    console.error(error);
    this.setState({ failure: error instanceof Error ? error.message : String(error) });
  }

  override render({ part, children }: GuardProps) {
    if (this.state.failure === '') return <>{children}</>;
    return (
      <p class="note bad failed-part" role="alert">
        {part} could not be drawn: {this.state.failure} <button type="button" class="quiet" onClick={() => this.setState({ failure: '' })}>try again</button>
      </p>
    );
  }
}
