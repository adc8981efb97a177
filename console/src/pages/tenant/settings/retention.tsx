import { useQuery } from '@tanstack/react-query';
import { useTenant, vitalKey } from '@vital-db/client/react';
import { Infinity as Forever } from 'lucide-react';
import { Fragment } from 'react';
import { told } from '../../../api/answer';
import { rest } from '../../../session/clients';
import { Badge } from '../../../ui/badge';
import { Card } from '../../../ui/card';
import { Empty, Loading, Problem } from '../../../ui/state';
import { PlainTable } from '../../../ui/table';
import { Time } from '../../../ui/time';
import { kept } from './kept';

/** How long rows of the tenant are kept. Operators set it; its admins read it. */
export function Retention() {
  const { organization, config } = useTenant();
  const { data, error, refetch, isFetching } = useQuery({
    queryKey: [...vitalKey, 'retention', organization.id],
    queryFn: ({ signal }) => told(rest.rpc('list_retention', undefined, { get: true }).order('table_name').abortSignal(signal)),
  });
  const hipaa = config.compliance_settings.hipaa_enabled === true;
  return (
    <Card flush title="Retention" description="How long rows are kept. What is older is deleted by itself, and the audit log says how much that was; while a tenant is on legal hold, nothing of it is. Set by the operator of the platform.">
      {error ? <Problem error={error} retry={() => { void refetch(); }} retrying={isFetching} /> : !data ? <Loading className="h-24" /> : data.length === 0 ? (
        <Empty icon={<Forever className="size-5" />} title="No rule is set">Rows are kept until somebody deletes them.</Empty>
      ) : (
        <PlainTable label="Retention" rows={data} rowKey={(rule) => `${rule.table_schema}.${rule.table_name}`} columns={[
          { header: 'Rows of', main: true, cell: (rule) => <Name>{rule.table_schema === 'public' ? rule.table_name : `${rule.table_schema}.${rule.table_name}`}</Name> },
          {
            header: 'Are kept', cell: (rule) => (
              <>
                <b className="font-medium">{kept(rule.keep)}</b> <span className="text-xs text-muted max-sm:block">from <Name>{rule.age_column}</Name></span>
                {rule.table_name === 'organization_audit_log' && <span className="block text-xs text-muted">Entries stay, without their contents{hipaa && '; under HIPAA after six years at the earliest'}.</span>}
              </>
            ),
          },
          { header: 'Rule', cell: (rule) => <Badge tone={rule.is_own ? 'accent' : 'neutral'}>{rule.is_own ? 'this tenant' : 'all tenants'}</Badge> },
          { header: 'Why', minor: true, cell: (rule) => <span className="block max-w-96 break-words text-muted">{rule.reason}</span> },
          { header: 'Set', minor: true, align: 'right', cell: (rule) => <Time at={rule.set_at} /> },
        ]} />
      )}
    </Card>
  );
}

/** A name of the database: it breaks between its words, and not within one. */
function Name({ children }: { children: string }) {
  return <code className="font-mono text-xs">{children.split(/(?<=[_.])/).map((word, at) => <Fragment key={at}>{at > 0 && <wbr />}{word}</Fragment>)}</code>;
}
