-- Three tenants, five users and five flags to try things out with. Everything is made once.

insert into public.organizations (name, slug, tenant_type, tenant_key, subscription_tier) values
  ('Digital Health', 'digital-health', 'digital_health', 'digital-health', 'professional'),
  ('Pharma', 'pharma', 'pharmaceuticals', 'pharma', 'enterprise')
on conflict (slug) do nothing;

insert into auth.users (email, raw_user_meta_data, email_confirmed_at)
select d.email, pg_catalog.jsonb_build_object('full_name', d.full_name), pg_catalog.now()
from (values
  ('admin@platform.vital.test', 'Alex Admin'),
  ('ada@digital-health.vital.test', 'Ada Ames'),
  ('ben@digital-health.vital.test', 'Ben Boyd'),
  ('cyd@pharma.vital.test', 'Cyd Cole'),
  ('dana@pharma.vital.test', 'Dana Dean')
) as d (email, full_name)
where not exists (select from auth.users a where a.email = d.email);

with demo (email, slug, platform_role) as (values
  ('admin@platform.vital.test', 'platform', 'super_admin'),
  ('ada@digital-health.vital.test', 'digital-health', 'user'),
  ('ben@digital-health.vital.test', 'digital-health', 'user'),
  ('cyd@pharma.vital.test', 'pharma', 'user'),
  ('dana@pharma.vital.test', 'pharma', 'user')
), made as (
  insert into public.users (id, organization_id, email)
  select a.id, o.id, a.email
  from demo d
  join auth.users a on a.email = d.email
  join public.organizations o on o.slug = d.slug
  on conflict (id) do nothing
  returning id, organization_id, email
)
insert into public.profiles (id, email, full_name, role, tenant_id)
select m.id, m.email, a.raw_user_meta_data ->> 'full_name', d.platform_role, m.organization_id
from made m
join auth.users a on a.id = m.id
join demo d on d.email = m.email
on conflict (id) do nothing;

insert into public.user_tenants (tenant_id, user_id, role)
select o.id, u.id, d.role
from (values
  ('admin@platform.vital.test', 'platform', 'owner'),
  ('ada@digital-health.vital.test', 'digital-health', 'admin'),
  ('ben@digital-health.vital.test', 'digital-health', 'member'),
  ('cyd@pharma.vital.test', 'pharma', 'admin'),
  ('dana@pharma.vital.test', 'pharma', 'member'),
  ('dana@pharma.vital.test', 'digital-health', 'member')
) as d (email, slug, role)
join public.users u on u.email = d.email
join public.organizations o on o.slug = d.slug
on conflict (tenant_id, user_id) do nothing;

insert into public.feature_flags (flag_key, name, description, flag_type, default_enabled, variants, default_variant, owner) values
  ('new_dashboard', 'New dashboard', 'The redesigned start page', 'boolean', false, '{}', null, 'Product'),
  ('chat_streaming', 'Streaming chat', 'Answers appear while they are written', 'boolean', true, '{}', null, 'Product'),
  ('model_tier', 'Model tier', 'Which class of model chats use', 'string', true, '{"standard": "standard", "advanced": "advanced"}', 'standard', 'Product'),
  ('max_upload_mb', 'Upload limit', 'Largest file a user may upload, in MB', 'number', true, '{"small": 10, "large": 100}', 'small', 'Product'),
  ('theme_tokens', 'Theme tokens', 'Design tokens the front end starts with', 'object', true,
   '{"calm": {"radius": 8, "accent": "#4F46E5"}, "sharp": {"radius": 0, "accent": "#0F766E"}}', 'calm', 'Product')
on conflict (flag_key) do nothing;

insert into public.agents (tenant_id, name, slug, description, tier)
select o.id, d.name, d.agent, d.description, d.tier
from (values
  ('platform', 'Helper', 'helper', 'Answers questions about the product', 1),
  ('digital-health', 'Trial matcher', 'trial-matcher', 'Finds studies a patient may join', 2),
  ('pharma', 'Label checker', 'label-checker', 'Compares a label with the approved text', 2)
) as d (slug, name, agent, description, tier)
join public.organizations o on o.slug = d.slug
on conflict (tenant_id, slug) do nothing;
