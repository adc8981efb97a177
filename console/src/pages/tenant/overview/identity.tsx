import { Link } from '@tanstack/react-router';
import { useTenant, useTenantSwitch, useUser } from '@vital-db/client/react';
import { Badge, type Tone } from '../../../ui/badge';
import { Card, Fact, Facts } from '../../../ui/card';
import { Copy } from '../../../ui/copy';
import { Time } from '../../../ui/time';

const tones: Record<string, Tone> = { active: 'ok', pending: 'info', suspended: 'warn', archived: 'neutral' };

/** Which tenant this is. */
export function Identity() {
  const { organization } = useTenant();
  return (
    <Card title="This tenant">
      <Facts>
        <Fact label="State"><Badge dot tone={tones[organization.lifecycle_state]}>{organization.lifecycle_state}</Badge></Fact>
        <Fact label="Tier"><span className="capitalize">{organization.subscription_tier}</span></Fact>
        <Fact label="Type"><span className="font-mono text-xs">{organization.tenant_type}</span></Fact>
        <Fact label="Part of"><Parent id={organization.parent_organization_id} /></Fact>
        <Fact label="Slug"><Copy text={organization.slug} label="slug" /></Fact>
        <Fact label="Key"><Copy text={organization.tenant_key} label="key" /></Fact>
        <Fact label="Id" wide><Copy text={organization.id} label="id" /></Fact>
      </Facts>
    </Card>
  );
}

/** The tenant this one is part of: by name, where the user is in that too. */
function Parent({ id }: { id: string | null }) {
  const { tenants } = useTenantSwitch();
  if (id === null) return <span className="font-normal text-muted">no other</span>;
  const parent = tenants.find((tenant) => tenant.id === id);
  if (!parent) return <span className="font-mono text-xs">{id}</span>;
  return <Link to={'/t/$tenant' as string} params={{ tenant: parent.slug } as never} className="text-accent-ink underline">{parent.name}</Link>;
}

const may: Record<string, string> = {
  owner: 'You manage this tenant, and who else does.', admin: 'You manage this tenant and its members.',
  member: 'You work in this tenant: you read and write what is in it.', viewer: 'You read what is in this tenant, and change nothing.',
};

/** What the user is here. */
export function Yourself() {
  const { membership } = useTenant();
  const user = useUser();
  return (
    <Card title="You here">
      <Facts>
        <Fact label="Signed in as">{user.full_name ?? user.email}</Fact>
        <Fact label="Role">{membership ? <Badge tone={membership.role === 'owner' ? 'accent' : membership.role === 'admin' ? 'info' : 'neutral'}>{membership.role}</Badge> : <Badge tone="warn">no member</Badge>}</Fact>
        {membership && <Fact label="Member since"><Time at={membership.joined_at} /></Fact>}
        {user.role === 'super_admin' && <Fact label="On the platform"><Badge tone="accent">super admin</Badge></Fact>}
      </Facts>
      <p className="mt-3 text-xs text-muted">{membership ? may[membership.role] : 'You see it as an operator of the platform. What you do here is in its audit log.'}</p>
    </Card>
  );
}
