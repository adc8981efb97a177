import { Badge } from '../../../ui/badge';
import { Card } from '../../../ui/card';
import { PlainTable } from '../../../ui/table';
import { percent, whole } from '../../../ui/units';
import { hitRate, type Redis } from './reading';

/** What servers share in Redis. */
export function Shared({ redis }: { redis: Redis | undefined }) {
  if (!redis) {
    return <Card title="Shared with other servers" description="This server has no Redis: a tenant’s document is read from the database by each server that is asked for it. Several servers share it with VITAL_REDIS_URL."><p className="text-sm text-muted">Nothing is shared.</p></Card>;
  }
  const rate = hitRate(redis);
  const rows: { name: string; value: string; means: string }[] = [
    { name: 'Hit rate', value: rate === undefined ? '–' : percent(rate), means: 'documents found that the database said still hold' },
    { name: 'Hits', value: whole(redis.hits), means: 'found, and still true' },
    { name: 'Not there', value: whole(redis.misses), means: 'read from the database, and put there' },
    { name: 'No longer true', value: whole(redis.stale), means: 'found, and replaced' },
    { name: 'Fills refused', value: whole(redis.refused), means: 'not put there: another server does, or the tenant changed while it was read' },
    { name: 'Evicted', value: whole(redis.evictions), means: 'dropped because the tenant changed' },
    { name: 'Evictions waiting', value: whole(redis.pending), means: 'not carried out yet' },
    { name: 'Garbage', value: whole(redis.garbage), means: 'values that no server of this database has put there; more than none is worth a look at who writes to it' },
    { name: 'Errors', value: whole(redis.errors), means: 'operations that failed' },
  ];
  return (
    <Card flush title="Shared with other servers" actions={<Badge dot tone={redis.up ? 'ok' : 'bad'}>{redis.up ? 'Redis answers' : 'Redis is down'}</Badge>} description="Tenants’ documents in Redis. None is believed before the database has said that it still holds. Counted since the server’s start.">
      <PlainTable label="Redis" rows={rows} rowKey={({ name }) => name} columns={[
        { header: 'What', cell: ({ name, means }) => <><span className="font-medium">{name}</span><span className="block text-xs text-muted md:hidden">{means}</span></> },
        { header: 'Count', align: 'right', cell: ({ value }) => value },
        { header: 'Means', minor: true, cell: ({ means }) => <span className="text-muted">{means}</span> },
      ]} />
    </Card>
  );
}
