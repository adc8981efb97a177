// Tenants and users, found by what people call them.
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { vitalKey } from '@vital-db/client/react';
import { useDeferredValue, useId, useState, type ComponentProps } from 'react';
import { told } from '../../../api/answer';
import { containing } from '../../../api/list';
import { FieldError } from '../../../api/refusal';
import { rest } from '../../../session/clients';
import { Input } from '../../../ui/field';

/** A tenant's slug, with those that match what is typed. */
export function TenantInput({ defaultValue = '', ...props }: Omit<ComponentProps<'input'>, 'value' | 'onChange' | 'defaultValue'> & { defaultValue?: string }) {
  const listId = useId();
  const [text, setText] = useState(defaultValue);
  const searched = useDeferredValue(text.trim());
  const { data = [] } = useQuery({
    queryKey: [...vitalKey, 'tenant-lookup', searched],
    queryFn: ({ signal }) => told(rest.from('organizations').select('slug,name').or(containing(['name', 'slug'], searched)).neq('lifecycle_state', 'archived').order('name').limit(8).abortSignal(signal)),
    placeholderData: keepPreviousData,
  });
  return (
    <>
      <Input {...props} value={text} onChange={(event) => setText(event.target.value)} list={listId} autoComplete="off" spellCheck={false} />
      <datalist id={listId}>{data.map(({ slug, name }) => <option key={slug} value={slug}>{name}</option>)}</datalist>
    </>
  );
}

/** The id of the tenant with this slug; null for none. */
export async function tenantId(slug: string, field: string): Promise<string | null> {
  if (!slug) return null;
  const [tenant] = await told(rest.from('organizations').select('id').eq('slug', slug));
  if (!tenant) throw new FieldError(field, `There is no tenant with the slug ${slug}.`);
  return tenant.id;
}

/** The id of the user with this address; null for none. */
export async function userId(email: string, field: string): Promise<string | null> {
  if (!email) return null;
  const [user] = await told(rest.from('users').select('id').ilike('email', email.replace(/[\\%_*]/g, '\\$&')).limit(1));
  if (!user) throw new FieldError(field, `Nobody has an account with the address ${email}. They sign up first.`);
  return user.id;
}
