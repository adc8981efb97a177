// What is read and written of a tenant's agents: those it has assigned, those it may, and its own.
import { useTenant } from '@vital-db/client/react';
import type { Database } from '@vital-db/client';
import { changed, done, told } from '../../../api/answer';
import { useChange } from '../../../api/change';
import { moved, placeOf } from '../../../api/order';
import { rest, vital } from '../../../session/clients';

/** The tenant whose agents all others are offered. */
export const platform = '00000000-0000-0000-0000-000000000001';

type Row = Database['public']['Tables']['agents']['Row'];
export type Agent = Pick<Row, 'id' | 'tenant_id' | 'name' | 'slug' | 'description' | 'tier' | 'category' | 'status'>;
/** An agent with what only its owner works on. */
export type OwnAgent = Agent & Pick<Row, 'system_prompt' | 'model' | 'capabilities' | 'version'>;
export type AgentInput = Omit<OwnAgent, 'id' | 'tenant_id' | 'version'>;
export interface Assigned { id: string; agent_id: string; agent_tenant_id: string; is_enabled: boolean; display_order: number; assigned_at: string; agent: Agent }

export const brief = 'id,tenant_id,name,slug,description,tier,category,status' as const;

/** The changes of which agents the tenant has. For admins. */
export function useAssignments() {
  const tenant = useTenant().organization.id;
  const update = (id: string, row: { is_enabled: boolean } | { display_order: number }) => changed(rest.from('tenant_agents').update(row).eq('tenant_id', tenant).eq('id', id).select('id'));
  return {
    assign: useChange((agent: Agent) => vital.agents.assign(agent.id, { agentTenant: agent.tenant_id }), (_written, agent) => `${agent.name} is assigned`),
    unassign: useChange(({ agent, reason }: { agent: Agent; reason: string }) => vital.agents.unassign(agent.id, { agentTenant: agent.tenant_id, reason: reason || undefined }), (_written, { agent }) => `${agent.name} is not assigned any more`),
    enable: useChange(({ assigned, on }: { assigned: Assigned; on: boolean }) => update(assigned.id, { is_enabled: on }), (_row, { assigned, on }) => `${assigned.agent.name} is ${on ? 'on' : 'off'}`),
    move: useChange(async ({ assigned, by }: { assigned: Assigned; by: -1 | 1 }) => {
      const rows = await told(rest.from('tenant_agents').select('id,display_order').eq('tenant_id', tenant).order('display_order').order('id'));
      for (const { id, display_order } of moved(rows, assigned.id, by)) await update(id, { display_order });
      return placeOf(rows, assigned.id, by);
    }, ({ place, of }, { assigned }) => `${assigned.agent.name} is number ${place} of ${of}`),
  };
}

export type Assignments = ReturnType<typeof useAssignments>;

/** The changes of the tenant's own agents. For all who may write. */
export function useOwnAgents() {
  const tenant = useTenant().organization.id;
  const update = (agent: OwnAgent, row: Partial<AgentInput>) => changed(rest.from('agents').update(row).eq('tenant_id', tenant).eq('id', agent.id).select('id'));
  return {
    create: useChange((input: AgentInput) => done(rest.from('agents').insert({ ...input, tenant_id: tenant })), (_done, input) => `${input.name} was made`),
    edit: useChange(({ agent, input }: { agent: OwnAgent; input: AgentInput }) => update(agent, input), (_row, { input }) => `${input.name} was saved`),
    setStatus: useChange(({ agent, status }: { agent: OwnAgent; status: 'active' | 'retired' }) => update(agent, { status }), (_row, { agent, status }) => `${agent.name} is ${status}`),
  };
}

export type OwnAgents = ReturnType<typeof useOwnAgents>;
