import { useQuery } from '@tanstack/react-query';
import { useRole, useTenant, vitalKey } from '@vital-db/client/react';
import type { ReactNode } from 'react';
import { told } from '../../../api/answer';
import { rest } from '../../../session/clients';
import { Badge } from '../../../ui/badge';
import { Stat } from '../../../ui/card';
import { milliseconds, ofHundred } from '../../../ui/units';
import { Json } from '../../../ui/json';
import { Loading, Problem } from '../../../ui/state';
import { PlainTable } from '../../../ui/table';
import { ago, Time } from '../../../ui/time';
import { Health, type Tool } from './health';

/** All there is to know of a tool. */
export function ToolDetails({ tool }: { tool: Tool }) {
  const { data, error, refetch } = useQuery({
    queryKey: [...vitalKey, 'tool', tool.tenant_id, tool.id],
    queryFn: ({ signal }) => told(rest.from('tools').select('slug,tool_type,implementation_type,function_signature,category,input_schema,output_schema,config,version,tags,created_at,updated_at')
      .eq('tenant_id', tool.tenant_id).eq('id', tool.id).abortSignal(signal).single()),
  });
  const oversees = useRole('admin');
  return (
    <div className="flex flex-col gap-5">
      {tool.deprecated && <Deprecated tool={tool} />}
      <dl className="grid grid-cols-2 gap-3 sm:grid-cols-4">
        <Stat label="Calls" value={Number(tool.total_uses).toLocaleString('en')} />
        <Stat label="Success" value={ofHundred(tool.success_rate)} />
        <Stat label="Average latency" value={milliseconds(tool.avg_execution_time_ms)} />
        <Stat label="Last used" value={<span className="text-base">{tool.last_used_at ? ago(tool.last_used_at) : 'never'}</span>} />
      </dl>
      {error ? <Problem error={error} retry={() => { void refetch(); }} /> : !data ? <Loading className="h-48" /> : (
        <>
          <dl className="grid gap-x-6 gap-y-3 sm:grid-cols-2">
            <Fact name="Health"><Health status={tool.health_status} /></Fact>
            <Fact name="Type"><code className="text-xs">{data.tool_type}{data.implementation_type && ` · ${data.implementation_type}`}</code></Fact>
            <Fact name="Category">{tool.category ?? '–'}</Fact>
            <Fact name="Version">{data.version} · changed <Time at={data.updated_at} /></Fact>
            {data.function_signature && <Fact name="Signature" wide><code className="text-xs break-words">{data.function_signature}</code></Fact>}
            {data.tags.length > 0 && <Fact name="Tags" wide><span className="flex flex-wrap gap-1">{data.tags.map((tag) => <Badge key={tag}>{tag}</Badge>)}</span></Fact>}
          </dl>
          <Part title="Input schema">{data.input_schema === null ? <Nothing>It takes what it is given: no schema says what.</Nothing> : <Json label="Input schema" value={data.input_schema} />}</Part>
          <Part title="Output schema">{data.output_schema === null ? <Nothing>No schema says what it answers.</Nothing> : <Json label="Output schema" value={data.output_schema} />}</Part>
          <Part title="Configuration"><Json label="Configuration" value={data.config} /></Part>
        </>
      )}
      {oversees && <Part title="Latest calls"><Usage tool={tool} /></Part>}
    </div>
  );
}

function Deprecated({ tool }: { tool: Tool }) {
  return (
    <p className="rounded-lg bg-warn-soft px-3 py-2 text-sm text-warn">
      <b className="font-semibold">Deprecated <Time at={tool.deprecated_at} />.</b> {tool.deprecated_reason} {tool.replacement_name ? `Use ${tool.replacement_name} instead.` : 'Nothing replaces it.'}
    </p>
  );
}

function Fact({ name, wide, children }: { name: string; wide?: boolean; children: ReactNode }) {
  return <div className={wide ? 'min-w-0 sm:col-span-2' : 'min-w-0'}><dt className="text-xs font-medium text-muted">{name}</dt><dd className="mt-0.5 text-sm">{children}</dd></div>;
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return <section className="min-w-0"><h3 className="mb-1.5 text-xs font-semibold text-muted">{title}</h3>{children}</section>;
}

function Nothing({ children }: { children: ReactNode }) {
  return <p className="text-sm text-muted">{children}</p>;
}

/** The last calls in this tenant: admins alone may read them. */
function Usage({ tool }: { tool: Tool }) {
  const { organization } = useTenant();
  const { data, error } = useQuery({
    queryKey: [...vitalKey, 'tool usage', organization.id, tool.tenant_id, tool.id],
    queryFn: ({ signal }) => told(rest.from('tool_usage_log').select('id,success,error_message,execution_time_ms,created_at')
      .eq('tenant_id', organization.id).eq('tool_tenant_id', tool.tenant_id).eq('tool_id', tool.id).order('created_at', { ascending: false }).limit(10).abortSignal(signal)),
  });
  if (error) return <Problem error={error} />;
  if (!data) return <Loading className="h-24" />;
  if (data.length === 0) return <Nothing>It was never called in this tenant.</Nothing>;
  return (
    <div className="rounded-lg border border-line">
      <PlainTable label="Latest calls" rows={data} rowKey={(call) => call.id} columns={[
        { header: 'When', cell: (call) => <Time at={call.created_at} /> },
        { header: 'Result', cell: (call) => <Badge dot tone={call.success ? 'ok' : 'bad'}>{call.success ? 'success' : 'failed'}</Badge> },
        { header: 'Took', align: 'right', cell: (call) => milliseconds(call.execution_time_ms) },
        { header: 'Error', minor: true, cell: (call) => <span className="break-words text-muted">{call.error_message ?? '–'}</span> },
      ]} />
    </div>
  );
}
