import { useState, type FormEvent } from 'react';
import { supabase } from './clients';

export function SignIn({ reason }: { reason?: string }) {
  const [problem, setProblem] = useState(reason);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const { error } = await supabase.auth.signInWithPassword({ email: String(form.get('email')), password: String(form.get('password')) });
    setProblem(error?.message);
  }

  return (
    <form onSubmit={submit}>
      <h1>Sign in</h1>
      {problem && <p role="alert">{problem}</p>}
      <label>Email <input name="email" type="email" autoComplete="username" required /></label>
      <label>Password <input name="password" type="password" autoComplete="current-password" required /></label>
      <button>Sign in</button>
    </form>
  );
}
