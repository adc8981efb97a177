import { useQuery } from '@tanstack/react-query';
import { vitalKey } from '@vital-db/client/react';
import { GitCompare, History as Clock } from 'lucide-react';
import { useState } from 'react';
import { useList, useRows } from '../../api/list';
import { Badge } from '../../ui/badge';
import { Button } from '../../ui/button';
import { Card } from '../../ui/card';
import { Confirm, Dialog } from '../../ui/dialog';
import { Diff } from '../../ui/diff';
import { Field, Select } from '../../ui/field';
import { MenuItem, RowMenu } from '../../ui/menu';
import { Empty, Loading, Problem } from '../../ui/state';
import { DataTable } from '../../ui/table';
import { Time } from '../../ui/time';
import { picked } from './model';
import { usePeople } from './people';

export interface Version { version: number; config: unknown; previous_config: unknown; reason: string | null; created_by: string | null; created_at: string }

/** Something that keeps its versions: a definition, or a tenant's override. */
export interface Versioned {
  /** What it is, for a query's key. */
  key: readonly unknown[];
  /** What it is called: "the override". */
  name: string;
  /** What of a version changes. */
  fields: readonly string[];
  /** The number of the newest version, and what it is; undefined for none. */
  newest: number;
  present: unknown;
  /** All versions. */
  versions: () => unknown;
  /** What it was at some versions. */
  at: (versions: number[], signal: AbortSignal) => Promise<{ version: number; config: unknown }[]>;
  rollback: (version: number, reason: string) => Promise<unknown>;
}

/** Every version: when, who, why; what it changed, how any two differ, and the way back. */
export function History({ of }: { of: Versioned }) {
  const list = useList('version.desc', 'history', 10);
  const rows = useRows<Version>(['versions', ...of.key], list, of.versions, { unique: 'version' });
  const person = usePeople(rows.data?.rows.map(({ created_by }) => created_by) ?? []);
  return (
    <Card flush title="History" description="Every version there has been." actions={of.newest > 1 && <Compare of={of} />}>
      <DataTable label="History" list={list} rows={rows} rowKey={(v) => String(v.version)} empty={<Empty title="No versions yet" icon={<Clock className="size-5" />}>The first change makes one.</Empty>} columns={[
        { header: 'Version', sort: 'version', cell: (v) => <span className="inline-flex items-center gap-2 font-medium tabular-nums">{v.version}{v.version === of.newest && <Badge tone="accent">now</Badge>}</span> },
        { header: 'When', sort: 'created_at', cell: (v) => <Time at={v.created_at} /> },
        { header: 'Who', minor: true, cell: (v) => <span className="break-all">{person(v.created_by)}</span> },
        { header: 'Why', minor: true, cell: (v) => <span className="break-words">{v.reason ?? <span className="text-muted">no reason given</span>}</span> },
        { header: 'Actions', align: 'right', cell: (v) => <VersionMenu of={of} version={v} /> },
      ]} />
    </Card>
  );
}

function VersionMenu({ of, version: v }: { of: Versioned; version: Version }) {
  const [asked, ask] = useState<'changes' | 'rollback'>();
  const then = picked(v.config, of.fields);
  const gone = then === undefined;
  return (
    <>
      <RowMenu label={`version ${v.version}`}>
        <MenuItem onSelect={() => ask('changes')}>What it changed</MenuItem>
        <MenuItem disabled={v.version === of.newest} onSelect={() => ask('rollback')}>Back to this version…</MenuItem>
      </RowMenu>
      <Dialog wide open={asked === 'changes'} onOpenChange={(open) => ask(open ? 'changes' : undefined)} title={`What version ${v.version} changed`} description={v.reason ?? undefined}>
        <Diff before={picked(v.previous_config, of.fields)} after={then} from={v.version === 1 ? 'before there was one' : `version ${v.version - 1}`} to={`version ${v.version}`} />
      </Dialog>
      <Confirm wide danger={gone} open={asked === 'rollback'} onOpenChange={(open) => ask(open ? 'rollback' : undefined)} title={`Back to version ${v.version}?`} action={`Back to version ${v.version}`} reason="optional"
        consequence={<div className="flex flex-col gap-3"><p>{gone ? `There was none at version ${v.version}: ${of.name} is taken away.` : `A new version ${of.newest + 1} makes ${of.name} what it was.`} It holds at once, in every page that is open. Nothing of the history is lost.</p>
          <Diff before={picked(of.present, of.fields)} after={then} from={`now, version ${of.newest}`} to={`version ${v.version}`} /></div>}
        onConfirm={(reason) => of.rollback(v.version, reason)} />
    </>
  );
}

function Compare({ of }: { of: Versioned }) {
  return (
    <Dialog wide trigger={<Button size="small" icon={<GitCompare className="size-3.5" aria-hidden />}>Compare versions</Button>} title="Compare versions">
      <Compared of={of} />
    </Dialog>
  );
}

function Compared({ of }: { of: Versioned }) {
  const [from, setFrom] = useState(of.newest - 1);
  const [to, setTo] = useState(of.newest);
  const versions = useQuery({ queryKey: [...vitalKey, 'compared', ...of.key, from, to], queryFn: ({ signal }) => of.at([from, to], signal) });
  const numbers = Array.from({ length: of.newest }, (_, n) => of.newest - n);
  const config = (wanted: number) => picked(versions.data?.find(({ version }) => version === wanted)?.config, of.fields);
  const choice = (label: string, value: number, set: (version: number) => void) => (
    <Field label={label}>{(p) => <Select {...p} value={value} onChange={(event) => set(Number(event.target.value))}>{numbers.map((n) => <option key={n} value={n}>version {n}</option>)}</Select>}</Field>
  );
  return (
    <div className="flex flex-col gap-4">
      <div className="grid grid-cols-2 gap-3">{choice('From', from, setFrom)}{choice('To', to, setTo)}</div>
      {versions.error ? <Problem error={versions.error} retry={() => { void versions.refetch(); }} /> : versions.data
        ? <Diff before={config(from)} after={config(to)} from={`version ${from}`} to={`version ${to}`} /> : <Loading />}
    </div>
  );
}
