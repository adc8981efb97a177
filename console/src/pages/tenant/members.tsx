import { useRole, useTenant, useUser } from '@vital-db/client/react';
import type { Role } from '@vital-db/client';
import { MailPlus, UserPlus, Users } from 'lucide-react';
import { useState, type FormEvent } from 'react';
import { done, told } from '../../api/answer';
import { useChange } from '../../api/change';
import { containing, useList, useRows } from '../../api/list';
import { rest } from '../../session/clients';
import { Avatar } from '../../ui/avatar';
import { Badge, type Tone } from '../../ui/badge';
import { Button } from '../../ui/button';
import { Card } from '../../ui/card';
import { Confirm, Dialog } from '../../ui/dialog';
import { Field, Input, Select } from '../../ui/field';
import { MenuItem, RowMenu } from '../../ui/menu';
import { Page } from '../../ui/page';
import { Empty, Problem } from '../../ui/state';
import { DataTable } from '../../ui/table';
import { Time } from '../../ui/time';

const roles: Role[] = ['owner', 'admin', 'member', 'viewer'];
const tones: Record<string, Tone> = { owner: 'accent', admin: 'info', member: 'neutral', viewer: 'neutral' };

/** Who is in the tenant, and who was asked to come. */
export function Members() {
  const admin = useRole('admin');
  return (
    <Page title="Members" description="Who may act in this tenant, and as what." actions={admin && <Invite />}>
      <MemberList admin={admin} />
      {admin && <Invitations />}
    </Page>
  );
}

function MemberList({ admin }: { admin: boolean }) {
  const { organization } = useTenant();
  const user = useUser();
  const list = useList('joined_at.asc');
  const role = list.filter('role');
  const members = useRows<Member>(['members', organization.id, role], list, () => {
    let query = rest.from('user_tenants').select('id,user_id,role,status,joined_at,user:users!inner(email)', { count: 'exact' }).eq('tenant_id', organization.id);
    if (role) query = query.eq('role', role);
    return list.search ? query.or(containing(['email'], list.search), { referencedTable: 'user' }) : query;
  });
  return (
    <Card flush>
      <DataTable label="Members" list={list} rows={members} rowKey={(m) => m.id} search="Search by email"
        filters={<RoleFilter value={role} set={(value) => list.set({ role: value })} />}
        empty={<Empty title="Nobody is here yet" icon={<Users className="size-5" />} />}
        columns={[
          { header: 'Member', main: true, cell: (m) => <span className="flex items-center gap-2.5"><Avatar name={m.user.email} /><span className="min-w-0 font-medium">{m.user.email}{m.user_id === user.id && <span className="font-normal text-muted"> (you)</span>}</span></span> },
          { header: 'Role', sort: 'role', cell: (m) => <Badge tone={tones[m.role]}>{m.role}</Badge> },
          { header: 'Status', sort: 'status', minor: true, cell: (m) => <Badge dot tone={m.status === 'active' ? 'ok' : 'warn'}>{m.status}</Badge> },
          { header: 'Joined', sort: 'joined_at', minor: true, cell: (m) => <Time at={m.joined_at} /> },
          ...(admin ? [{ header: 'Actions', align: 'right' as const, cell: (m: Member) => <MemberMenu member={m} /> }] : []),
        ]} />
    </Card>
  );
}

interface Member { id: string; user_id: string; role: string; status: string; joined_at: string; user: { email: string } }

function RoleFilter({ value, set }: { value: string; set: (value: string) => void }) {
  return (
    <Select aria-label="Role" className="!w-auto" value={value} onChange={(event) => set(event.target.value)}>
      <option value="">All roles</option>
      {roles.map((role) => <option key={role}>{role}</option>)}
    </Select>
  );
}

function MemberMenu({ member }: { member: Member }) {
  const { organization } = useTenant();
  const [asked, ask] = useState<'role' | 'remove'>();
  const remove = useChange((reason: string) => done(rest.rpc('remove_member', { p_user_id: member.user_id, p_reason: reason || undefined })), () => `${member.user.email} was removed`);
  return (
    <>
      <RowMenu label={member.user.email}>
        <MenuItem onSelect={() => ask('role')}>Change role…</MenuItem>
        <MenuItem danger onSelect={() => ask('remove')}>Remove…</MenuItem>
      </RowMenu>
      <Dialog open={asked === 'role'} onOpenChange={(open) => ask(open ? 'role' : undefined)} title="Change role" description={member.user.email}>
        {(close) => <RoleForm member={member} close={close} />}
      </Dialog>
      <Confirm open={asked === 'remove'} onOpenChange={(open) => ask(open ? 'remove' : undefined)} title={`Remove ${member.user.email}?`} action="Remove" reason="optional"
        consequence={<>They lose {organization.name} at once, in every page they have open. What they made stays. They can be invited again.</>} onConfirm={remove.mutateAsync} />
    </>
  );
}

function RoleForm({ member, close }: { member: Member; close: () => void }) {
  const change = useChange((role: string) => told(rest.rpc('change_member_role', { p_user_id: member.user_id, p_role: role })), (_row, role) => `${member.user.email} is ${role} now`);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    change.mutate(String(new FormData(event.currentTarget).get('role')), { onSuccess: close });
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
      <Field label="Role" hint="Owners and admins manage the tenant; members work in it; viewers read.">{(p) => <Select {...p} name="role" defaultValue={member.role}>{roles.map((role) => <option key={role}>{role}</option>)}</Select>}</Field>
      {change.error && <Problem error={change.error} />}
      <div className="flex justify-end gap-2"><Button onClick={close}>Cancel</Button><Button type="submit" variant="primary" pending={change.isPending}>Change role</Button></div>
    </form>
  );
}

function Invite() {
  return (
    <Dialog trigger={<Button variant="primary" icon={<UserPlus className="size-4" aria-hidden />}>Invite</Button>} title="Invite somebody" description="They get in with the token of the invitation, once, and with this address alone.">
      {(close) => <InviteForm close={close} />}
    </Dialog>
  );
}

function InviteForm({ close }: { close: () => void }) {
  const invite = useChange(async ({ email, role }: { email: string; role: string }) => {
    const [made] = await told(rest.rpc('invite_member', { p_email: email, p_role: role }));
    return made!;
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    invite.mutate({ email: String(form.get('email')).trim(), role: String(form.get('role')) });
  };
  if (invite.data) {
    return (
      <div className="flex flex-col gap-4">
        <p className="text-sm">Hand this token to {invite.data.email}. It is shown this once, and good for 7 days.</p>
        <Field label="Token">{(p) => <Input {...p} readOnly value={invite.data.token} className="font-mono text-xs" onFocus={(event) => event.target.select()} autoFocus />}</Field>
        <div className="flex justify-end"><Button variant="primary" onClick={close}>Done</Button></div>
      </div>
    );
  }
  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
      <Field label="Email">{(p) => <Input {...p} name="email" type="email" required autoFocus />}</Field>
      <Field label="Role">{(p) => <Select {...p} name="role" defaultValue="member">{roles.map((role) => <option key={role}>{role}</option>)}</Select>}</Field>
      {invite.error && <Problem error={invite.error} />}
      <div className="flex justify-end gap-2"><Button onClick={close}>Cancel</Button><Button type="submit" variant="primary" pending={invite.isPending}>Invite</Button></div>
    </form>
  );
}

interface Invitation { id: string; email: string; role: string; expires_at: string; created_at: string }

function Invitations() {
  const { organization } = useTenant();
  const list = useList('created_at.desc', 'invitations', 10);
  const open = useRows<Invitation>(['invitations', organization.id], list, () => rest.from('invitations').select('id,email,role,expires_at,created_at', { count: 'exact' })
    .eq('tenant_id', organization.id).is('accepted_at', null).is('revoked_at', null));
  const revoke = useChange((invitation: Invitation) => done(rest.rpc('revoke_invitation', { p_invitation_id: invitation.id })), (_done, { email }) => `The invitation of ${email} was revoked`);
  return (
    <Card flush title="Open invitations" description="Not accepted yet.">
      <DataTable label="Open invitations" list={list} rows={open} rowKey={(i) => i.id} empty={<Empty title="No open invitations" icon={<MailPlus className="size-5" />} />} columns={[
        { header: 'Email', main: true, sort: 'email', cell: (i) => <span className="font-medium">{i.email}</span> },
        { header: 'Role', sort: 'role', cell: (i) => <Badge tone={tones[i.role]}>{i.role}</Badge> },
        { header: 'Expires', sort: 'expires_at', minor: true, cell: (i) => <Time at={i.expires_at} /> },
        { header: 'Actions', align: 'right', cell: (i) => (
          <Confirm trigger={<Button size="small" variant="ghost">Revoke</Button>} title={`Revoke the invitation of ${i.email}?`} consequence="Its token gets nobody in any more. They can be invited again." action="Revoke" onConfirm={() => revoke.mutateAsync(i)} />
        ) },
      ]} />
    </Card>
  );
}
