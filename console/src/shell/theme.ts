import { useSyncExternalStore } from 'react';

export type Theme = 'light' | 'dark' | 'system';

const key = 'vital-console-theme';
const dark = matchMedia('(prefers-color-scheme: dark)');
const listeners = new Set<() => void>();

const chosen = (): Theme => {
  const kept = localStorage.getItem(key);
  return kept === 'light' || kept === 'dark' ? kept : 'system';
};

function apply(): void {
  const theme = chosen();
  document.documentElement.dataset.theme = theme === 'system' ? (dark.matches ? 'dark' : 'light') : theme;
  for (const listener of listeners) listener();
}

/** Colours the page as the user has chosen, or as their system is, and keeps doing so. */
export function followTheme(): void {
  dark.addEventListener('change', apply);
  addEventListener('storage', (event) => { if (event.key === key) apply(); });
  apply();
}

export function useTheme(): [Theme, (theme: Theme) => void] {
  const theme = useSyncExternalStore((listener) => { listeners.add(listener); return () => listeners.delete(listener); }, chosen);
  return [theme, (next) => { localStorage.setItem(key, next); apply(); }];
}
