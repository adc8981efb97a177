import { useRole, useTenant } from '@vital-db/client/react';
import { Download } from 'lucide-react';
import { download } from '../../../download/downloads';
import { dated } from '../../../download/name';
import { Button } from '../../../ui/button';
import { Card } from '../../../ui/card';
import { Confirm } from '../../../ui/dialog';

/** Takes the whole tenant out, as a file. For its owners: they answer for all of its data. */
export function Everything() {
  return useRole('owner') ? <Archive /> : null;
}

function Archive() {
  const { organization } = useTenant();
  return (
    <Card title="Download everything" description="For moving away, for keeping, or for whoever asks for it. Owners alone see this."
      actions={(
        <Confirm trigger={<Button icon={<Download className="size-4" aria-hidden />}>Download…</Button>} danger={false} reason="required" title={`Download everything of ${organization.name}?`} action="Download"
          consequence="It holds every row of this tenant, also what its members see alone, as chats. Keep the file as you would keep the database."
          onConfirm={(reason) => download({ path: `/api/tenants/${organization.id}/export`, name: dated(organization.slug), reason })} />
      )}>
      <p className="max-w-prose text-sm text-muted">Every row that is this tenant&rsquo;s, of one moment, as one zip file: a line of JSON for each row, and a manifest that says how many there are, signed by the server. Six times an hour at most, and one at a time; the audit log has who took it out, and why.</p>
    </Card>
  );
}
