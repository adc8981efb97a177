import { useEffect, useState, type FormEvent, type ReactNode } from 'react';
import type { VitalError } from '@vital-db/client';
import { Brand } from '../shell/brand';
import { Button } from '../ui/button';
import { Field, Input, TextArea } from '../ui/field';
import { auth } from './auth';
import { pasteToken } from './token';

/** The place to sign in; `ended` says why the last session was ended, where it was. */
export function SignIn({ ended }: { ended: VitalError | undefined }) {
  const [embedded, setEmbedded] = useState(true);
  useEffect(() => {
    document.title = 'Sign in · VITAL';
    const asked = new AbortController();
    fetch('/auth/v1/settings', { signal: asked.signal }).then((answer) => setEmbedded(answer.status !== 404), () => {}); // one that is out of order has it all the same
    return () => asked.abort();
  }, []);
  return (
    <Centered>
      <div className="mb-6 flex flex-col items-center gap-3 text-center">
        <span className="text-xl"><Brand /></span>
        <h1 className="text-lg font-semibold">Sign in to the console</h1>
      </div>
      {ended && <p role="alert" className="mb-4 rounded-lg bg-warn-soft px-3 py-2 text-sm text-warn">{ended.message} {ended.hint}</p>}
      {embedded ? <PasswordForm /> : <TokenForm />}
    </Centered>
  );
}

/** A card in the middle of an empty page. */
export function Centered({ children }: { children: ReactNode }) {
  return <main className="grid min-h-dvh place-items-center p-4"><div className="w-full max-w-sm rounded-card border border-line bg-surface p-6 shadow-card sm:p-8">{children}</div></main>;
}

function PasswordForm() {
  const [error, setError] = useState<string>();
  const [pending, setPending] = useState(false);
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setPending(true);
    const { error } = await auth.signInWithPassword({ email: String(form.get('email')).trim(), password: String(form.get('password')) });
    setPending(false);
    setError(error?.message);
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
      <Field label="Email">{(p) => <Input {...p} name="email" type="email" autoComplete="username" required autoFocus />}</Field>
      <Field label="Password" error={error}>{(p) => <Input {...p} name="password" type="password" autoComplete="current-password" required />}</Field>
      <Button type="submit" variant="primary" pending={pending}>Sign in</Button>
    </form>
  );
}

/** Where users sign in elsewhere: a session is brought along as its access token. */
function TokenForm() {
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    pasteToken(String(new FormData(event.currentTarget).get('token')).trim());
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
      <Field label="Access token" hint="Users of this server sign in elsewhere. Paste an access token of theirs; it is kept in this tab until it is closed, or the token expires.">
        {(p) => <TextArea {...p} name="token" rows={5} required spellCheck={false} className="font-mono text-xs" />}
      </Field>
      <Button type="submit" variant="primary">Sign in</Button>
    </form>
  );
}
