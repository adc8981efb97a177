-- owner: vital_definer
-- after: vital_require_operator.sql
--
-- How every gate stands, for super admins and service_role: one that is measured as the latest weekly report has it, be it that of the
-- present week so far (week, is_over, measured_at); one that is signed off by its latest signature, which may be newer. No rows before the
-- first report. Definer, because sessions of users do not reach schema vital's tables.
create or replace function public.list_gates()
returns table (
  gate text, phase integer, title text, source text, measured boolean, status text, value numeric, at_least numeric, at_most numeric, unit text,
  evidence text, next text, approved_by text, approved_at timestamptz, week text, is_over boolean, measured_at timestamptz
)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform vital.require_operator();
  return query
    with latest as (
      select r.week, r.is_over, r.made_at, r.report from vital.weekly_reports r order by r.week desc limit 1
    ), signed as (
      select distinct on (a.gate) a.gate, a.approved, a.approved_by, a.approved_at, a.note
      from vital.gate_approvals a
      order by a.gate, a.approved_at desc, a.id
    )
    select g.gate, g.phase, g.title, g.source, g.measure is not null,
      case when g.measure is not null then g.status when s.approved then 'pass' else 'pending' end,
      g.current, g.at_least, g.at_most, g.unit, case when g.measure is not null then g.evidence when s.approved then s.note end, g.next,
      case when g.measure is null and s.approved then s.approved_by end, case when g.measure is null and s.approved then s.approved_at end,
      l.week, l.is_over, l.made_at
    from latest l
    cross join lateral rows from (
      jsonb_to_recordset(l.report -> 'gates') as (
        gate text, phase integer, title text, source text, measure text, status text, current numeric, at_least numeric, at_most numeric, unit text,
        evidence text, next text)
    ) with ordinality as g
    left join signed s on s.gate = g.gate
    order by g.ordinality;
end
$$;
comment on function public.list_gates() is 'How every gate stands, by the latest weekly report and signatures; for operators';
grant execute on function public.list_gates() to authenticated, service_role;
