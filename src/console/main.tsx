import './ui/tokens.css';
import { CSPProvider } from '@base-ui/react/csp-provider';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { queryClient } from './api/queries.ts';
import { router } from './app/router.tsx';
import { SessionGate } from './app/session.tsx';
import { Toasts } from './ui/toast.tsx';

const root = document.getElementById('root');
if (root !== null)
  createRoot(root).render(
    <StrictMode>
      <CSPProvider disableStyleElements>
        <QueryClientProvider client={queryClient}>
          <Toasts>
            <SessionGate>
              <RouterProvider router={router} />
            </SessionGate>
          </Toasts>
        </QueryClientProvider>
      </CSPProvider>
    </StrictMode>,
  );
