import { useQuery } from '@tanstack/react-query';
import { vitalKey } from '@vital-db/client/react';
import { useMemo } from 'react';
import { told } from '../../api/answer';
import { rest } from '../../session/clients';
import { Badge } from '../../ui/badge';
import { Card } from '../../ui/card';
import { Chart, type Series } from '../../ui/chart';
import { Loading, Problem } from '../../ui/state';
import { count } from '../../ui/units';
import { colourOf, variantsOf, type Flag } from '../flags/model';

const days = 30;
const day = 86_400_000;

/** How often the flag was evaluated, day by day, in how many tenants, and how many have it otherwise. */
export function Usage({ flag }: { flag: Flag }) {
  const names = useMemo(() => variantsOf(flag).map(([name]) => name), [flag]);
  const today = Math.floor(Date.now() / day);
  const since = new Date((today - days + 1) * day).toISOString().slice(0, 10);
  const usage = useQuery({
    queryKey: [...vitalKey, 'usage', flag.id, since], refetchInterval: 30_000, // counts are written every ten seconds, and tell nobody
    queryFn: async ({ signal }) => {
      const [perDay, [reach]] = await Promise.all([
        told(rest.from('tenant_feature_flag_usage').select('day,variant,evaluations.sum()').eq('feature_flag_id', flag.id).gte('day', since).abortSignal(signal).returns<{ day: string; variant: string; sum: number }[]>()),
        told(rest.rpc('feature_flag_reach', { p_flag_key: flag.flag_key, p_days: days }).abortSignal(signal)),
      ]);
      return { perDay, ...reach! };
    },
  });
  if (usage.error && !usage.data) return <Card title="Use"><Problem error={usage.error} retry={() => { void usage.refetch(); }} /></Card>;
  if (!usage.data) return <Card title="Use"><Loading /></Card>;
  const { perDay, overriding, evaluating } = usage.data;
  const total = perDay.reduce((sum, row) => sum + row.sum, 0);
  const said = `${total.toLocaleString('en')} evaluations in the last ${days} days, in ${tenants(evaluating)}`;
  return (
    <Card title="Use" description={total === 0 ? `Nobody has asked for it in the last ${days} days.` : `${said}.`} actions={<Badge tone={overriding === 0 ? 'neutral' : 'accent'}>overridden in {tenants(overriding)}</Badge>}>
      {total === 0 ? <p className="text-sm text-muted">There is nothing to draw.</p> : <Days rows={perDay} names={names} today={today} said={said} />}
    </Card>
  );
}

const tenants = (n: number) => (n === 1 ? '1 tenant' : `${n.toLocaleString('en')} tenants`);

function Days({ rows, names, today, said }: { rows: { day: string; variant: string; sum: number }[]; names: string[]; today: number; said: string }) {
  const { at, series } = useMemo(() => {
    const dates = Array.from({ length: days }, (_, n) => today - days + 1 + n);
    const variants = [...new Set(rows.map(({ variant }) => variant))].sort();
    const sums = new Map(rows.map((row) => [`${Date.parse(row.day) / day} ${row.variant}`, row.sum]));
    return {
      at: dates.map((date) => date * day / 1000),
      series: variants.map((variant): Series => ({ label: variant || 'no value', colour: colourOf(names, variant), values: dates.map((date) => sums.get(`${date} ${variant}`) ?? 0), fill: variants.length === 1 })),
    };
  }, [rows, names, today]);
  return <Chart at={at} series={series} format={count} height={160} summary={said} />;
}
