import { useState } from 'react';
import { Page } from '../../ui/page';
import { CheckCard } from './checks/card';
import { CheckHistory } from './checks/history';
import { RunDialog } from './checks/run';
import { checks, type Run } from './checks/runs';

/** What the server finds out about itself, and since when. */
export function Checks() {
  const [opened, open] = useState<Run>();
  return (
    <Page title="Checks" description="Servers look every day whether the database is as it must be. What they found is kept for a year.">
      <div className="grid grid-cols-1 gap-4 md:grid-cols-2 xl:grid-cols-3">
        {checks.map((check) => <CheckCard key={check.name} check={check} onOpen={open} />)}
      </div>
      <CheckHistory onOpen={open} />
      <RunDialog run={opened} onClose={() => open(undefined)} />
    </Page>
  );
}
