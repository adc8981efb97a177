-- What tenants work with: agents, tools, prompts, knowledge, personas, jobs and chat sessions.
-- A reference to a row that may be the platform's carries its owner (agent_tenant_id, agent_id), so a
-- foreign key never tells one tenant that another's row exists.
-- +goose Up
-- +goose StatementBegin
create table public.agents (
  tenant_id uuid not null references public.organizations (id),
  id uuid not null default gen_random_uuid(),
  name text not null check (btrim(name) <> ''),
  slug text not null check (slug ~ '^[a-z0-9]+([-_][a-z0-9]+)*$'),
  description text,
  system_prompt text,
  model text,
  tier integer not null default 1 check (tier between 1 and 9),
  category text,
  capabilities text[] not null default '{}',
  version integer not null default 1 check (version > 0),
  status text not null default 'active' check (status in ('draft', 'active', 'retired')),
  owner_id uuid,
  tags text[] not null default '{}',
  metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, slug)
);
comment on table public.agents is 'Agents of a tenant; those of the platform tenant are offered to all.';
comment on column public.agents.slug is 'Stable key within its tenant';
comment on column public.agents.system_prompt is 'Instruction the agent runs with';
comment on column public.agents.model is 'Model the agent runs on';
comment on column public.agents.tier is 'Tier; a tenant may assign those of its enabled_agent_tiers';
comment on column public.agents.category is 'Group in lists';
comment on column public.agents.capabilities is 'What it can do, as names of tools or skills';

create table public.tenant_agents (
  tenant_id uuid not null references public.organizations (id),
  id uuid not null default gen_random_uuid(),
  agent_tenant_id uuid not null,
  agent_id uuid not null,
  is_enabled boolean not null default true,
  display_order integer not null default 0,
  config jsonb not null default '{}' check (jsonb_typeof(config) = 'object'),
  assigned_by uuid,
  assigned_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, agent_tenant_id, agent_id),
  foreign key (agent_tenant_id, agent_id) references public.agents (tenant_id, id),
  constraint tenant_agents_own_or_platform
    check (agent_tenant_id in (tenant_id, '00000000-0000-0000-0000-000000000001'))
);
create index idx_tenant_agents_agent on public.tenant_agents (agent_tenant_id, agent_id);
comment on table public.tenant_agents is 'Agents a tenant has assigned to itself.';
comment on column public.tenant_agents.agent_tenant_id is 'Owner of the agent: this tenant or the platform tenant';
comment on column public.tenant_agents.agent_id is 'The agent';
comment on column public.tenant_agents.is_enabled is 'Usable; false keeps the assignment but hides it';
comment on column public.tenant_agents.display_order is 'Position in lists, ascending';
comment on column public.tenant_agents.config is 'What this tenant changes about the agent; free form';
comment on column public.tenant_agents.assigned_by is 'Who assigned it';
comment on column public.tenant_agents.assigned_at is 'When it was assigned';

create table public.tool_categories (
  tenant_id uuid not null references public.organizations (id),
  id uuid not null default gen_random_uuid(),
  name text not null check (btrim(name) <> ''),
  slug text not null check (slug ~ '^[a-z0-9]+([-_][a-z0-9]+)*$'),
  description text,
  display_order integer not null default 0,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, slug)
);
comment on table public.tool_categories is 'Groups of tools; those of the platform tenant are offered to all.';
comment on column public.tool_categories.slug is 'Stable key within its tenant';
comment on column public.tool_categories.display_order is 'Position in lists, ascending';

create table public.tools (
  tenant_id uuid not null references public.organizations (id),
  id uuid not null default gen_random_uuid(),
  name text not null check (btrim(name) <> ''),
  slug text not null check (slug ~ '^[a-z0-9]+([-_][a-z0-9]+)*$'),
  description text,
  tool_type text not null default 'function',
  implementation_type text,
  function_signature text,
  category text,
  category_tenant_id uuid,
  category_id uuid,
  input_schema jsonb,
  output_schema jsonb,
  config jsonb not null default '{}' check (jsonb_typeof(config) = 'object'),
  version integer not null default 1 check (version > 0),
  is_active boolean not null default true,
  owner_id uuid,
  deprecated boolean not null default false,
  deprecated_at timestamptz,
  deprecated_reason text,
  replacement_tool_tenant_id uuid,
  replacement_tool_id uuid,
  tags text[] not null default '{}',
  metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, slug),
  foreign key (category_tenant_id, category_id) references public.tool_categories (tenant_id, id),
  foreign key (replacement_tool_tenant_id, replacement_tool_id) references public.tools (tenant_id, id),
  constraint tools_category_own_or_platform check (
    (category_id is null) = (category_tenant_id is null)
    and category_tenant_id in (tenant_id, '00000000-0000-0000-0000-000000000001')),
  constraint tools_replacement_own_or_platform check (
    (replacement_tool_id is null) = (replacement_tool_tenant_id is null)
    and replacement_tool_tenant_id in (tenant_id, '00000000-0000-0000-0000-000000000001')),
  constraint tools_not_replaced_by_itself
    check ((replacement_tool_tenant_id, replacement_tool_id) <> (tenant_id, id)),
  constraint tools_deprecated_since check (deprecated = (deprecated_at is not null))
);
create index idx_tools_category on public.tools (category_tenant_id, category_id);
create index idx_tools_replacement on public.tools (replacement_tool_tenant_id, replacement_tool_id);
comment on table public.tools is 'Tool registry of a tenant; tools of the platform tenant are offered to all.';
comment on column public.tools.slug is 'Stable key within its tenant';
comment on column public.tools.tool_type is 'What kind of thing it is: function, api, workflow …';
comment on column public.tools.implementation_type is 'How it is run, as the front end expects it';
comment on column public.tools.function_signature is 'Signature to call it by';
comment on column public.tools.category is 'Group as a plain name, as the front end expects it';
comment on column public.tools.category_tenant_id is 'Owner of the category: this tenant or the platform tenant';
comment on column public.tools.category_id is 'Group as a row of tool_categories';
comment on column public.tools.input_schema is 'JSON Schema of the arguments';
comment on column public.tools.output_schema is 'JSON Schema of the result';
comment on column public.tools.config is 'Settings it runs with; no secrets';
comment on column public.tools.is_active is 'False hides it everywhere';
comment on column public.tools.deprecated is 'True when it should no longer be used';
comment on column public.tools.deprecated_at is 'Since when; set exactly when deprecated is';
comment on column public.tools.deprecated_reason is 'Why';
comment on column public.tools.replacement_tool_tenant_id is 'Owner of the replacement: this tenant or the platform tenant';
comment on column public.tools.replacement_tool_id is 'What to use instead';

create table public.prompts (
  tenant_id uuid not null references public.organizations (id),
  id uuid not null default gen_random_uuid(),
  title text not null check (btrim(title) <> ''),
  body text not null default '',
  description text,
  category text,
  version integer not null default 1 check (version > 0),
  status text not null default 'active' check (status in ('draft', 'active', 'retired')),
  owner_id uuid,
  tags text[] not null default '{}',
  metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id)
);
comment on table public.prompts is 'Prompts of a tenant; those of the platform tenant are offered to all.';
comment on column public.prompts.body is 'The prompt itself';
comment on column public.prompts.category is 'Group in lists';

create table public.knowledge (
  tenant_id uuid not null references public.organizations (id),
  id uuid not null default gen_random_uuid(),
  title text not null check (btrim(title) <> ''),
  body text not null default '',
  content_type text not null default 'text/markdown',
  source_url text,
  category text,
  version integer not null default 1 check (version > 0),
  status text not null default 'active' check (status in ('draft', 'active', 'retired')),
  owner_id uuid,
  tags text[] not null default '{}',
  metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id)
);
comment on table public.knowledge is 'Documents of a tenant; those of the platform tenant are offered to all.';
comment on column public.knowledge.body is 'The document itself';
comment on column public.knowledge.content_type is 'Media type of the body';
comment on column public.knowledge.source_url is 'Where it was taken from';
comment on column public.knowledge.category is 'Group in lists';

create table public.personas (
  tenant_id uuid not null references public.organizations (id),
  id uuid not null default gen_random_uuid(),
  name text not null check (btrim(name) <> ''),
  title text,
  body text not null default '',
  goals text[] not null default '{}',
  pain_points text[] not null default '{}',
  version integer not null default 1 check (version > 0),
  status text not null default 'active' check (status in ('draft', 'active', 'retired')),
  owner_id uuid,
  tags text[] not null default '{}',
  metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id)
);
comment on table public.personas is 'Personas a tenant designs for; those of the platform tenant are offered to all.';
comment on column public.personas.body is 'Who this is, in prose';
comment on column public.personas.goals is 'What the persona wants';
comment on column public.personas.pain_points is 'What stands in the way';

create table public.jobs_to_be_done (
  tenant_id uuid not null references public.organizations (id),
  id uuid not null default gen_random_uuid(),
  title text not null check (btrim(title) <> ''),
  body text not null default '',
  persona_tenant_id uuid,
  persona_id uuid,
  importance integer check (importance between 1 and 10),
  satisfaction integer check (satisfaction between 1 and 10),
  version integer not null default 1 check (version > 0),
  status text not null default 'active' check (status in ('draft', 'active', 'retired')),
  owner_id uuid,
  tags text[] not null default '{}',
  metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (persona_tenant_id, persona_id) references public.personas (tenant_id, id),
  constraint jobs_to_be_done_persona_own_or_platform check (
    (persona_id is null) = (persona_tenant_id is null)
    and persona_tenant_id in (tenant_id, '00000000-0000-0000-0000-000000000001'))
);
create index idx_jobs_to_be_done_persona on public.jobs_to_be_done (persona_tenant_id, persona_id);
comment on table public.jobs_to_be_done is 'Jobs a tenant''s users want done; those of the platform tenant are offered to all.';
comment on column public.jobs_to_be_done.body is 'When …, I want to …, so I can …';
comment on column public.jobs_to_be_done.persona_tenant_id is 'Owner of the persona: this tenant or the platform tenant';
comment on column public.jobs_to_be_done.persona_id is 'Whose job it is';
comment on column public.jobs_to_be_done.importance is 'From 1 to 10';
comment on column public.jobs_to_be_done.satisfaction is 'With today''s solution, from 1 to 10';

create table public.chat_sessions (
  tenant_id uuid not null references public.organizations (id),
  id uuid not null default gen_random_uuid(),
  user_id uuid not null references public.users (id) on delete cascade,
  agent_tenant_id uuid,
  agent_id uuid,
  title text,
  status text not null default 'open' check (status in ('open', 'closed')),
  last_message_at timestamptz,
  metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id),
  foreign key (agent_tenant_id, agent_id) references public.agents (tenant_id, id),
  constraint chat_sessions_agent_own_or_platform check (
    (agent_id is null) = (agent_tenant_id is null)
    and agent_tenant_id in (tenant_id, '00000000-0000-0000-0000-000000000001'))
);
create index idx_chat_sessions_user on public.chat_sessions (tenant_id, user_id);
create index idx_chat_sessions_user_id on public.chat_sessions (user_id);
create index idx_chat_sessions_agent on public.chat_sessions (agent_tenant_id, agent_id);
comment on table public.chat_sessions is 'Conversations, private to their user within the tenant.';
comment on column public.chat_sessions.user_id is 'Whose conversation it is';
comment on column public.chat_sessions.agent_tenant_id is 'Owner of the agent: this tenant or the platform tenant';
comment on column public.chat_sessions.agent_id is 'With which agent';
comment on column public.chat_sessions.last_message_at is 'When something was last said';
-- +goose StatementEnd
