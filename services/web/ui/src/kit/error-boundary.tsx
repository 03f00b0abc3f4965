import { Component, type ReactNode } from 'react';
import { useT } from '../i18n/use';
import { Button, ErrorState } from './controls';

/**
 * Catches what a page throws while it renders, or a part of the app that could not be fetched (the server was
 * upgraded meanwhile, and its file names changed): the frame stays and loading again helps.
 */
export class ErrorBoundary extends Component<{ children: ReactNode }, { error: unknown }> {
  override state: { error: unknown } = { error: null };

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  override render() {
    return this.state.error === null ? this.props.children : <Crash error={this.state.error} />;
  }
}

function Crash({ error }: { error: unknown }) {
  const t = useT();
  return (
    <>
      <ErrorState error={error} />
      <div className="empty-actions">
        <Button onClick={() => window.location.reload()}>{t('failure.reload')}</Button>
      </div>
    </>
  );
}
