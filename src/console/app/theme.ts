import { useSyncExternalStore } from 'react';

export type Theme = 'light' | 'dark' | 'system';
const listeners = new Set<() => void>();

function theme(): Theme {
  const chosen = document.documentElement.dataset['theme'];
  return chosen === 'light' || chosen === 'dark' ? chosen : 'system';
}

export function setTheme(next: Theme): void {
  if (next === 'system') {
    delete document.documentElement.dataset['theme'];
    localStorage.removeItem('sluice.theme');
  } else {
    document.documentElement.dataset['theme'] = next;
    localStorage.setItem('sluice.theme', next);
  }
  for (const listener of listeners) listener();
}

export function useTheme(): Theme {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, theme);
}
