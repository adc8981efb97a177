import { useEffect, useRef, useState } from 'react';
import { ChainWalk } from '../../../api/audit-chain';
import { readHead, rowsAfter } from './entries';

/** How far a walk along the chain is. */
export interface Walk {
  state: 'walking' | 'stopped' | 'ended' | 'failed';
  chain: ChainWalk;
  /** How many rows there were to go when it began. */
  of: number;
  /** When it came as far as it is. */
  at: Date;
  error?: Error;
}

/** How many rows are asked for at once: some 2 MB. */
const portion = 2000;

/** Walks the whole chain of a tenant, from its first row to its head, and can be stopped. A walk of another tenant is forgotten. */
export function useWalk(tenant: string): { walk: Walk | undefined; start: () => void; stop: () => void } {
  const [walk, setWalk] = useState<Walk>();
  const running = useRef<AbortController>(undefined);
  useEffect(() => {
    setWalk(undefined);
    return () => running.current?.abort();
  }, [tenant]);
  const start = () => {
    running.current?.abort();
    const control = running.current = new AbortController();
    const tell = (next: Omit<Walk, 'at'>) => { if (running.current === control) setWalk({ ...next, at: new Date() }); };
    const chain = new ChainWalk(tenant);
    let of = 0;
    const go = async () => {
      of = (await readHead(control.signal))?.seq ?? 0;
      tell({ state: 'walking', chain, of });
      await follow(chain, control.signal, () => tell({ state: 'walking', chain, of }));
      tell({ state: 'ended', chain, of });
    };
    go().catch((error: Error) => tell({ state: control.signal.aborted ? 'stopped' : 'failed', chain, of, error }));
  };
  return { walk, start, stop: () => running.current?.abort() };
}

/** Goes on to the end. The head is read behind the rows: where it is further on, rows were added meanwhile, or the end is gone. */
async function follow(chain: ChainWalk, signal: AbortSignal, moved: () => void): Promise<void> {
  for (let asked = false; ;) {
    const rows = await rowsAfter(chain.tenant, chain.upTo.seq, portion, signal);
    await chain.follow(rows);
    signal.throwIfAborted();
    moved();
    if (rows.length > 0) { asked = false; continue; }
    const head = await readHead(signal);
    if (asked || head === undefined || head.seq <= chain.upTo.seq) return chain.end(head);
    asked = true;
  }
}
