import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { VitalError, type ConfigurationRow, type Written } from '@vital-db/client';
import { useVital, vitalKey } from '@vital-db/client/react';
import { useState, type FormEvent } from 'react';

type Stored = Written<ConfigurationRow>;

/** Below vitalKey it is read again whenever the context is another. */
const queryKey = [...vitalKey, 'configuration'];

/** The tenant's colour. Of two admins who change it at once, the second is told. */
export function Branding() {
  const vital = useVital();
  const stored = useQuery({ queryKey, queryFn: ({ signal }) => vital.config.get({ signal }) });
  if (!stored.data) return <p role="status">{stored.error ? stored.error.message : 'Loading…'}</p>;
  return <BrandingForm newest={stored.data} />;
}

/** A form changes what it was filled from, or nothing: it keeps that over all news, until somebody asks for the newest. */
function BrandingForm({ newest }: { newest: Stored }) {
  const vital = useVital();
  const queryClient = useQueryClient();
  const [opened, setOpened] = useState(newest);
  const save = useMutation({
    mutationFn: (color: string) => vital.config.update({ ui_config: { primary_color: color } }, { ifMatch: opened.etag, reason: 'Branding' }),
    onSuccess: (saved) => {
      queryClient.setQueryData(queryKey, saved);
      setOpened(saved);
    },
    onError: () => queryClient.invalidateQueries({ queryKey }),
  });

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    save.mutate(String(new FormData(event.currentTarget).get('color')));
  }

  function takeNewest() {
    save.reset();
    setOpened(newest);
  }

  return (
    <form onSubmit={submit} key={opened.etag}>
      <label>Colour <input name="color" defaultValue={opened.data.ui_config.primary_color} /></label>
      <button disabled={save.isPending}>Save</button>
      {save.error && <p role="alert">{save.error.message} {save.error instanceof VitalError && save.error.hint}</p>}
      {!save.isPending && newest.etag !== opened.etag && (
        <p role="status">Somebody has changed it meanwhile. <button type="button" onClick={takeNewest}>Show what it is now</button></p>
      )}
    </form>
  );
}
