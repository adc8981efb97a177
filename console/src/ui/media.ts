import { useSyncExternalStore } from 'react';

const narrow = matchMedia('(max-width: 639px)');

/** Whether there is the room of a telephone only. */
export function useNarrow(): boolean {
  return useSyncExternalStore((listener) => { narrow.addEventListener('change', listener); return () => narrow.removeEventListener('change', listener); }, () => narrow.matches);
}
