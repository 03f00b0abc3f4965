import { QueryClientProvider } from '@tanstack/react-query';
import { Tooltip } from 'radix-ui';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app';
import { whenSignedOut } from './api/http';
import { Toasts } from './kit/toast';
import { changePerson } from './state/person';
import { keys, queryClient } from './state/queries';
import './styles/tokens.css';
import './styles/base.css';
import './styles/kit.css';

// The session may end at any call; the page then asks who is signed in and shows the sign-in form.
whenSignedOut(() => {
  if (queryClient.getQueryData(keys.me)) changePerson(null);
});

const root = document.getElementById('root');
if (!root) throw new Error('the page has no #root');
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <Tooltip.Provider delayDuration={400}>
        <App />
        <Toasts />
      </Tooltip.Provider>
    </QueryClientProvider>
  </StrictMode>,
);
