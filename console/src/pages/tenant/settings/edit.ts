// One edit of the configuration: begun at a state of it, and saved only onto that state. What others change meanwhile is shown, and laid below it.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { VitalError, type ConfigurationRow, type Written } from '@vital-db/client';
import { useTenant, vitalKey } from '@vital-db/client/react';
import { useState } from 'react';
import { useChange } from '../../../api/change';
import { vital } from '../../../session/clients';
import { differences, draftOf, merged, patchOf, placed, unsayable, type Draft, type FieldName } from './draft';

type Stored = Written<ConfigurationRow>;

/** The configuration as it is stored, for admins alone. */
export function useStored() {
  const { organization } = useTenant();
  const queryKey = [...vitalKey, 'configuration', organization.id];
  return { queryKey, ...useQuery({ queryKey, queryFn: ({ signal }) => vital.config.get({ signal }) }) };
}

/** What the form shows and does. `stored` is the configuration as it stands. */
export function useEdit(stored: Stored, queryKey: readonly unknown[]) {
  const queries = useQueryClient();
  const [edit, setEdit] = useState<{ base: Stored; draft: Draft }>();
  const theirs = draftOf(stored.data);
  // What others changed of it that is no part of this form is nothing to be asked about.
  const apart = edit ? differences(draftOf(edit.base.data), theirs) : [];
  const base = edit && apart.length > 0 ? edit.base : stored;
  const draft = edit?.draft ?? theirs;
  const was = draftOf(base.data);
  const mine = differences(was, draft);

  const save = useChange(async ({ draft: saved, reason }: { draft: Draft; reason: string }) => {
    try {
      const written = await vital.config.update(patchOf(was, saved), { ifMatch: base.etag, reason: reason || undefined });
      queries.setQueryData(queryKey, written);
      setEdit(undefined);
    } catch (error) {
      if (error instanceof VitalError && error.code === 'precondition_failed') await queries.refetchQueries({ queryKey });
      throw error;
    }
  }, () => 'The settings were saved');

  // A value that was changed since it was refused is not wrong any more, as far as is known.
  const refused = save.error instanceof VitalError && save.variables ? { ...placed(save.error.errors), draft: save.variables.draft } : undefined;
  const again = new Set(refused ? differences(refused.draft, draft) : []);
  const said = Object.fromEntries(Object.entries(refused?.at ?? {}).filter(([name]) => !again.has(name as FieldName)));
  const unsaid = unsayable(draft);
  const wrong: Partial<Record<FieldName, string>> = { ...said, ...unsaid };

  return {
    draft, was, theirs, mine, wrong, save, elsewhere: refused?.elsewhere ?? [],
    /** Whether there is something to save, and it can be said to the server. */
    savable: mine.length > 0 && apart.length === 0 && Object.keys(unsaid).length === 0,
    /** What others have changed since this edit began. */
    conflict: save.isPending || !edit ? [] : apart,
    set<Name extends FieldName>(name: Name, value: Draft[Name]) {
      const next = { ...draft, [name]: value };
      setEdit(differences(was, next).length === 0 && apart.length === 0 ? undefined : { base, draft: next });
    },
    discard() { setEdit(undefined); save.reset(); },
    /** Goes on from what others have made of it, with what was changed here on top. */
    keepMine() {
      const both = merged(was, draft, theirs);
      setEdit(differences(theirs, both).length === 0 ? undefined : { base: stored, draft: both });
      save.reset();
    },
  };
}

export type Edit = ReturnType<typeof useEdit>;
