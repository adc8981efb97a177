import { useQuery } from '@tanstack/react-query';
import { useTenant, vitalKey } from '@vital-db/client/react';
import { useState } from 'react';
import { told } from '../../../api/answer';
import { useChange } from '../../../api/change';
import { containing } from '../../../api/list';
import { rest } from '../../../session/clients';
import { Confirm } from '../../../ui/dialog';
import { Input, Select } from '../../../ui/field';
import type { Tool } from './health';

/** Asks why a tool should be used no longer, and what to use instead. */
export function Deprecate({ tool, onOpenChange }: { tool: Tool; onOpenChange: (open: boolean) => void }) {
  const [replacement, setReplacement] = useState('');
  const deprecate = useChange((reason: string) => told(rest.rpc('deprecate_tool', { p_tool_id: tool.id, p_reason: reason, p_replacement_tool_id: replacement || undefined })), () => `${tool.name} is deprecated now`);
  return (
    <Confirm open onOpenChange={onOpenChange} title={`Deprecate ${tool.name}?`} action="Deprecate" reason="required" onConfirm={deprecate.mutateAsync}
      consequence="Agents that have it keep it, but everywhere it is marked as one to use no longer, with your reason. It cannot be taken back here.">
      <Replacement tool={tool} value={replacement} set={setReplacement} />
    </Confirm>
  );
}

/** At most so many are offered; more are found by typing. */
const offered = 50;

/** Chooses among the tools in use, found by their names: a tenant may have thousands. */
function Replacement({ tool, value, set }: { tool: Tool; value: string; set: (id: string) => void }) {
  const { organization } = useTenant();
  const [text, setText] = useState('');
  const { data } = useQuery({
    queryKey: [...vitalKey, 'replacements', organization.id, tool.id, text],
    queryFn: ({ signal }) => {
      const query = rest.rpc('list_tools', { p_days: 1 }, { get: true }).eq('deprecated', false).neq('health_status', 'INACTIVE').neq('id', tool.id);
      return told((text ? query.or(containing(['name', 'slug'], text)) : query).order('name').limit(offered).abortSignal(signal));
    },
    placeholderData: (before) => before,
  });
  return (
    <fieldset className="flex flex-col gap-1.5">
      <legend className="mb-1.5 text-sm font-medium">Replacement (optional)</legend>
      <Input type="search" aria-label="Search replacements" placeholder="Search by name" value={text} onChange={(event) => setText(event.target.value)} />
      <Select aria-label="Replacement" value={value} onChange={(event) => set(event.target.value)}>
        <option value="">None</option>
        {(data ?? []).map(({ id, name, tenant_id }) => <option key={id} value={id}>{name}{tenant_id !== organization.id && ' (platform)'}</option>)}
      </Select>
      {data?.length === offered && <p className="text-xs text-muted">The first {offered} are shown. Type to find others.</p>}
    </fieldset>
  );
}
