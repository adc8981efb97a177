import { Hourglass } from 'lucide-react';
import { Badge } from '../../../ui/badge';
import { Time } from '../../../ui/time';

/** Marks what was measured of a week before it was over. */
export function SoFar({ at }: { at: string }) {
  return <Badge tone="info"><Hourglass className="size-3" aria-hidden /><span>This week so far, as of <Time at={at} /></span></Badge>;
}
