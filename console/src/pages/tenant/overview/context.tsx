import { useQuery } from '@tanstack/react-query';
import { useTenant, vitalKey } from '@vital-db/client/react';
import { ChevronRight } from 'lucide-react';
import { useState } from 'react';
import { vital } from '../../../session/clients';
import { Card, Fact, Facts } from '../../../ui/card';
import { Copy } from '../../../ui/copy';
import { Json } from '../../../ui/json';
import { Problem, Skeleton } from '../../../ui/state';

/** The context as an application gets it, with what it is revalidated by: read when somebody looks. */
export function ContextAsSent() {
  const [open, setOpen] = useState(false);
  return (
    <Card flush>
      <details onToggle={(event) => setOpen(event.currentTarget.open)} className="group">
        <summary className="flex list-none items-center gap-2.5 rounded-card px-4 py-4 sm:px-5 [&::-webkit-details-marker]:hidden">
          <ChevronRight className="size-4 shrink-0 text-muted transition-transform group-open:rotate-90" aria-hidden />
          <span><span className="block text-sm font-semibold">The context, as your application gets it</span><span className="block text-xs text-muted"><code className="font-mono">GET /v1/context</code> with your token, in this tenant. It follows every change.</span></span>
        </summary>
        {open && <div className="px-4 pb-4 sm:px-5 sm:pb-5"><Sent /></div>}
      </details>
    </Card>
  );
}

function Sent() {
  const { organization: { id } } = useTenant();
  const { data, error, refetch, isFetching } = useQuery({
    queryKey: [...vitalKey, 'context', 'as sent', id],
    queryFn: async ({ signal }) => {
      const answer = await vital.fetch('/v1/context', { signal });
      const text = await answer.text();
      if (!answer.ok) throw new Error(`The context was answered with ${answer.status} ${answer.statusText}.`);
      return { etag: answer.headers.get('ETag'), version: answer.headers.get('Vital-Version'), bytes: new TextEncoder().encode(text).length, body: JSON.parse(text) as unknown };
    },
  });
  if (error && !data) return <Problem error={error} retry={() => { void refetch(); }} retrying={isFetching} />;
  if (!data) return <Skeleton className="h-64" />;
  return (
    <div className="flex flex-col gap-3">
      <Facts>
        <Fact label="ETag">{data.etag ? <Copy text={data.etag} label="ETag" /> : '–'}</Fact>
        <Fact label="Vital-Version">{data.version ? <Copy text={data.version} label="version" /> : '–'}</Fact>
        <Fact label="Size">{data.bytes.toLocaleString('en')} bytes</Fact>
      </Facts>
      <Json value={data.body} label="The context" />
    </div>
  );
}
