import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useEffect } from 'react';
import { Redirect, Route, Switch } from 'wouter';
import * as api from './api/endpoints';
import { ApiError } from './api/errors';
import { useT } from './i18n/use';
import { ErrorState, Loading } from './kit/controls';
import { ErrorBoundary } from './kit/error-boundary';
import { AuthPage } from './pages/auth/auth-page';
import { ChatPage } from './pages/chat/chat-page';
import { MissingPage } from './pages/missing-page';
import { Shell } from './shell/shell';
import { keys, useMe } from './state/queries';

// Asking is what nearly everybody comes for; the rest is fetched when it is opened.
const LibraryPage = lazy(() => import('./pages/library/library-page'));
const KnowledgeBasePage = lazy(() => import('./pages/library/knowledge-base-page'));
const DocumentPage = lazy(() => import('./pages/document-page'));
const SearchPage = lazy(() => import('./pages/search-page'));
const AdminPage = lazy(() => import('./pages/admin/admin-page'));
const ProfilePage = lazy(() => import('./pages/profile-page'));

export function App() {
  const t = useT();
  const me = useMe();
  const signedOut = me.data === null || (me.error !== null && ApiError.of(me.error).status === 401);
  const setup = useQuery({ queryKey: keys.setup, queryFn: api.setupState, enabled: signedOut });

  useEffect(() => {
    document.title = t('app.name');
  }, [t]);

  if (signedOut) {
    if (setup.error) return <ErrorState error={setup.error} onRetry={() => void setup.refetch()} />;
    if (!setup.data) return <Loading />;
    return <AuthPage setup={setup.data} />;
  }
  if (me.error) return <ErrorState error={me.error} onRetry={() => void me.refetch()} />;
  if (!me.data) return <Loading />;
  const admin = me.data.role === 'admin';
  return (
    <Shell me={me.data}>
      <ErrorBoundary>
        <Suspense fallback={<Loading />}>
          <Switch>
            <Route path="/">
              <Redirect to="/chat" replace />
            </Route>
            <Route path="/chat/:id?">{({ id }) => <ChatPage key={id ?? 'new'} chatId={id ?? null} />}</Route>
            <Route path="/library" component={LibraryPage} />
            <Route path="/library/:id/:tab?">
              {({ id, tab }) => <KnowledgeBasePage key={id} id={id} tab={tab} />}
            </Route>
            <Route path="/documents/:id">{({ id }) => <DocumentPage key={id} id={id} />}</Route>
            <Route path="/search" component={SearchPage} />
            <Route path="/profile" component={ProfilePage} />
            <Route path="/admin/:tab">
              {({ tab }) => (admin && me.data ? <AdminPage me={me.data} tab={tab} /> : <MissingPage />)}
            </Route>
            <Route component={MissingPage} />
          </Switch>
        </Suspense>
      </ErrorBoundary>
    </Shell>
  );
}
