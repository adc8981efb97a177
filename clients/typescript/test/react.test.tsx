import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { act, cleanup, fireEvent, render, screen, waitFor } from '@testing-library/react';
import { StrictMode, useState, version, type ReactNode } from 'react';
import { hydrateRoot } from 'react-dom/client';
import { renderToString } from 'react-dom/server';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { VitalClient, type VitalClientOptions } from '../src/index.js';
import {
  FeatureGate, RequireRole, TenantAuthProvider, useApps, useFeature, useFeatureDetails, useTenant, useTenantAuth, useTenantSwitch, useUser, useVital,
  type TenantAuthProviderProps,
} from '../src/react/index.js';
import { FakeVital, problem, tabStorage, tokenOf } from './fake.js';

let vital: FakeVital;
let token: string | null;
let tell: (token: string | null) => void;

beforeEach(() => {
  vital = new FakeVital();
  token = tokenOf('ada');
});

afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
});

function clientOf(options: Partial<VitalClientOptions> = {}): VitalClient {
  return new VitalClient({
    url: 'http://vital.test', getToken: () => token, fetch: vital.fetch, storage: tabStorage(),
    onSession: (listener) => { tell = (next) => { token = next; listener(next); }; return () => {}; }, ...options,
  });
}

function Page({ children }: { children?: ReactNode }) {
  const { organization, config } = useTenant();
  const { tenants, current, switchTenant } = useTenantSwitch();
  const beta = useFeature('beta', false);
  return (
    <main>
      <h1>{organization.name}</h1>
      <p data-testid="user">{useUser().email}</p>
      <p data-testid="color">{config.ui_config.primary_color}</p>
      <p data-testid="beta">{String(beta)}</p>
      <ul>{useApps().map((app) => <li key={app.app_key}>{app.app_name}</li>)}</ul>
      <p data-testid="tenants">{tenants.map(({ slug, id }) => (id === current ? `[${slug}]` : slug)).join(' ')}</p>
      {tenants.map(({ slug }) => <button key={slug} onClick={() => switchTenant(slug)}>to {slug}</button>)}
      {children}
    </main>
  );
}

function show(client: VitalClient, props: Partial<TenantAuthProviderProps> = {}) {
  return render(<StrictMode><TenantAuthProvider client={client} {...props}>{props.children ?? <Page />}</TenantAuthProvider></StrictMode>);
}

const text = (id: string) => screen.getByTestId(id).textContent;
const heading = (name: string) => screen.findByRole('heading', { name });

test('these are the tests of the React they name', () => {
  expect(version.split('.')[0]).toBe(process.env.REACT);
});

describe('the provider', () => {
  test('shows user, tenant and apps after one request', async () => {
    show(clientOf(), { children: <Bare /> });
    await heading('Tenant a');
    expect(screen.getByText('ada@example.test chat')).toBeDefined();
    expect(vital.count('/ofrep/v1/evaluate/flags'), 'flags are asked for when they are used').toBe(0);
  });

  function Bare() {
    const { organization } = useTenant();
    return <><h1>{organization.name}</h1><p>{useUser().email} {useApps().map((app) => app.app_key).join(' ')}</p></>;
  }

  test('is loading first, and renders no children without a context', async () => {
    let rendered = 0;
    const Child = () => { rendered++; return <p>child</p>; };
    show(clientOf(), { children: <Child />, loading: <p>One moment</p> });
    expect(screen.getByText('One moment')).toBeDefined();
    expect(rendered).toBe(0);
    await screen.findByText('child');
  });

  test('shows an error with its hint and request, and tries again', async () => {
    vital.before = () => problem(409, 'user_without_organization');
    show(clientOf());
    const alert = await screen.findByRole('alert');
    expect(alert.textContent).toBe('It is user_without_organization.Mend user_without_organization.Request r1Try again');
    vital.before = () => undefined;
    fireEvent.click(screen.getByRole('button', { name: 'Try again' }));
    await heading('Tenant a');
  });

  test('never shows another tenant in place of one that is refused', async () => {
    token = tokenOf('ben');
    show(clientOf({ tenant: 'b' }), { error: ({ error }) => <p>{error.code}</p> });
    await screen.findByText('tenant_not_found');
    expect(vital.count('/v1/context')).toBe(1);
  });

  test('says that a tenant is suspended, with a way into another', async () => {
    vital.suspended.add('a');
    const Out = () => <button onClick={useTenantSwitch().switchTenant.bind(null, 'b')}>out</button>;
    show(clientOf(), { suspended: ({ error }) => <><p role="alert">{error.hint}</p><Out /></> });
    expect((await screen.findByRole('alert')).textContent).toBe('Mend tenant_suspended.');
    fireEvent.click(screen.getByText('out'));
    await heading('Tenant b');
  });

  test('hears that the tenant was suspended, and shows nothing of it any more', async () => {
    show(clientOf());
    await heading('Tenant a');
    await waitFor(() => expect(vital.streams).toBe(1));
    vital.change(() => { vital.suspended.add('a'); });
    expect((await screen.findByRole('alert')).textContent).toContain('tenant_suspended');
    expect(screen.queryByRole('heading')).toBeNull();
  });

  test('keeps what it shows while the server is away, and says so', async () => {
    const Said = () => { const state = useTenantAuth(); return <p>{state.status} {'error' in state && state.error?.code}</p>; };
    show(clientOf(), { children: <><Page /><Said /></> });
    await heading('Tenant a');
    await waitFor(() => expect(vital.streams).toBe(1));
    vi.spyOn(Math, 'random').mockReturnValue(0);
    vital.before = () => problem(503, 'database_unavailable');
    vital.change(() => {});
    await screen.findByText('ready database_unavailable');
    expect(screen.getByRole('heading').textContent).toBe('Tenant a');
  });
});

describe('a change', () => {
  test('of somebody else appears without a reload', async () => {
    show(clientOf());
    await heading('Tenant a');
    await waitFor(() => expect([text('beta'), vital.streams]).toEqual(['false', 1]));
    vital.change(() => { vital.colors.a = '#00FF00'; vital.flags.beta!.value = true; });
    await waitFor(() => expect([text('color'), text('beta')]).toEqual(['#00FF00', 'true']));
  });

  test('of one\'s own appears, and is in the read after it', async () => {
    const Form = () => {
      const client = useVital();
      const save = useMutation({ mutationFn: () => client.config.update({ ui_config: { primary_color: '#00FF00' } }) });
      return <button onClick={() => save.mutate()}>save</button>;
    };
    vital.before = (each) => (each.path === '/v1/context/events' ? problem(404, 'not_found') : undefined); // without a stream
    show(clientOf(), { children: <Page><Form /></Page> });
    await heading('Tenant a');
    fireEvent.click(screen.getByText('save'));
    await waitFor(() => expect(text('color')).toBe('#00FF00'));
    expect(vital.asked.filter((each) => each.path === '/v1/context').at(-1)!.headers.get('Vital-Min-Version')).toMatch(/^1\.2\./);
  });
});

describe('a page that nobody looks at', () => {
  const hide = (hidden: boolean) => act(() => {
    vi.spyOn(document, 'hidden', 'get').mockReturnValue(hidden);
    document.dispatchEvent(new Event('visibilitychange'));
  });

  test('closes its stream after a while, and has missed nothing when somebody does', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'], shouldAdvanceTime: true });
    onTestFinished(() => { vi.useRealTimers(); });
    show(clientOf());
    await heading('Tenant a');
    await waitFor(() => expect(vital.streams).toBe(1));
    hide(true);
    await act(() => vi.advanceTimersByTimeAsync(119_000));
    expect(vital.streams).toBe(1);
    await act(() => vi.advanceTimersByTimeAsync(2_000));
    await waitFor(() => expect(vital.streams).toBe(0));
    vital.change(() => { vital.colors.a = '#00FF00'; });
    hide(false);
    await waitFor(() => expect(text('color')).toBe('#00FF00'));
    expect(vital.streams).toBe(1);
  });
});

describe('switching the tenant', () => {
  test('shows the other one, and nothing of the former in between', async () => {
    const client = clientOf();
    const seen = new Set<string>();
    const Watch = () => { seen.add(`${useTenant().organization.slug} ${useTenant().config.ui_config.primary_color}`); return null; };
    show(client, { children: <Page><Watch /></Page> });
    await heading('Tenant a');
    fireEvent.click(screen.getByText('to b'));
    expect(screen.getByRole('status').textContent, 'at once').toBe('Loading…');
    await heading('Tenant b');
    expect([text('color'), text('tenants')]).toEqual(['#BBBBBB', 'a [b]']);
    expect([...seen]).toEqual(['a #AAAAAA', 'b #BBBBBB']);
  });

  test('empties the cache of the application\'s own queries, and drops what is under way', async () => {
    let answers: ((value: string) => void)[] = [];
    const signals: AbortSignal[] = [];
    const Rows = () => {
      const { organization } = useTenant();
      const rows = useQuery({ queryKey: ['rows'], queryFn: ({ signal }) => { signals.push(signal); return new Promise<string>((resolve) => { answers.push((value) => resolve(`${value} of ${organization.slug}`)); }); } });
      const queryClient = useQueryClient();
      const late = useMutation({ mutationFn: () => Promise.resolve(), onSuccess: () => { queryClient.setQueryData(['rows'], 'written late'); } });
      const [draft, setDraft] = useState('');
      return <><p data-testid="rows">{rows.data ?? 'none'}</p><button onClick={() => late.mutate()}>write</button><input aria-label="draft" value={draft} onChange={(event) => setDraft(event.target.value)} /></>;
    };
    show(clientOf(), { children: <Page><Rows /></Page> });
    await heading('Tenant a');
    fireEvent.change(screen.getByLabelText('draft'), { target: { value: 'secret' } });
    const ofA = [...answers];
    fireEvent.click(screen.getByText('write'));
    fireEvent.click(screen.getByText('to b'));
    await heading('Tenant b');
    expect(signals.slice(0, ofA.length).every((signal) => signal.aborted)).toBe(true);
    await act(async () => { ofA.forEach((answer) => answer('rows')); });
    expect(text('rows')).toBe('none');
    await act(async () => { answers.forEach((answer) => answer('rows')); });
    await waitFor(() => expect(text('rows')).toBe('rows of b'));
    expect((screen.getByLabelText('draft') as HTMLInputElement).value, 'no state of a component goes along').toBe('');
  });

  test('in one tab leaves the other where it is', async () => {
    const [one, other] = [clientOf(), clientOf()];
    const both = render(<><section data-testid="one"><TenantAuthProvider client={one}><Page /></TenantAuthProvider></section><section data-testid="other"><TenantAuthProvider client={other}><Page /></TenantAuthProvider></section></>);
    const headings = () => [...both.container.querySelectorAll('h1')].map((each) => each.textContent);
    await waitFor(() => expect(headings()).toEqual(['Tenant a', 'Tenant a']));
    fireEvent.click(screen.getAllByText('to b')[0]!);
    await waitFor(() => expect(headings()).toEqual(['Tenant b', 'Tenant a']));
    vital.change(() => { vital.colors.a = '#00FF00'; });
    await waitFor(() => expect(screen.getAllByTestId('color').map((each) => each.textContent)).toEqual(['#BBBBBB', '#00FF00']));
    expect(localStorage.length).toBe(0);
  });

  test('closes the stream of the former', async () => {
    show(clientOf());
    await heading('Tenant a');
    await waitFor(() => expect(vital.streams).toBe(1));
    fireEvent.click(screen.getByText('to b'));
    await heading('Tenant b');
    await waitFor(() => expect(vital.asked.filter((each) => each.path === '/v1/context/events').at(-1)!.headers.get('Vital-Tenant')).toBe('id-b'));
    expect(vital.streams).toBe(1);
    cleanup();
    await waitFor(() => expect(vital.streams).toBe(0));
  });
});

describe('the session', () => {
  test('that nobody has is a place to sign in, which then shows the page', async () => {
    token = null;
    show(clientOf(), { signedOut: <p>Please sign in</p> });
    await screen.findByText('Please sign in');
    expect(vital.asked).toEqual([]);
    act(() => tell(tokenOf('ada')));
    await heading('Tenant a');
  });

  test('that ends takes everything with it', async () => {
    show(clientOf());
    await heading('Tenant a');
    act(() => tell(null));
    expect(screen.queryByRole('heading')).toBeNull();
    await screen.findByText('You are signed out.');
    act(() => tell(tokenOf('ben')));
    await heading('Tenant a');
    expect(text('user')).toBe('ben@example.test');
  });

  test('that the server ends is over here too, says why, and can begin again', async () => {
    show(clientOf(), { signedOut: ({ error }) => <p>out: {error?.code}</p> });
    await heading('Tenant a');
    await waitFor(() => expect(vital.streams).toBe(1));
    vital.revoked.add(token!);
    vital.hangUp();
    await screen.findByText('out: session_revoked');
    const asked = vital.asked.length;
    await new Promise((resolve) => { setTimeout(resolve, 100); });
    expect(vital.asked.length, 'and asks no more').toBe(asked);
    act(() => tell(tokenOf('ada', '2')));
    await heading('Tenant a');
  });
});

describe('gates', () => {
  test('open with their flag and close with it', async () => {
    show(clientOf(), { children: <FeatureGate feature="beta" fallback={<p>closed</p>} loading={<p>wait</p>}><p>open</p></FeatureGate> });
    await screen.findByText('wait');
    await screen.findByText('closed');
    vital.change(() => { vital.flags.beta!.value = true; });
    await screen.findByText('open');
    vital.change(() => { vital.flags.beta!.value = false; });
    await screen.findByText('closed');
  });

  test('that are only looked at are not counted, and are another request than those that are used', async () => {
    const Details = ({ counted }: { counted?: boolean }) => { const { status, variant } = useFeatureDetails('size', { counted }); return <p data-testid={`counted-${counted}`}>{status} {variant}</p>; };
    show(clientOf(), { children: <><Details counted={false} /><Details counted={false} /><Details /></> });
    await waitFor(() => expect(screen.getAllByText('ready small')).toHaveLength(3));
    expect(vital.asked.filter(({ path }) => path.startsWith('/ofrep')).map(({ headers }) => headers.get('Vital-Purpose')).sort()).toEqual([null, 'preview']);
  });

  test('stay closed where flags cannot be had, and the details say so', async () => {
    vital.before = (each) => (each.path.startsWith('/ofrep') ? problem(500, 'internal') : undefined);
    const Details = () => { const { status, error } = useFeatureDetails('beta'); return <p>{status} {error?.message}</p>; };
    show(clientOf(), { children: <><FeatureGate feature="beta"><p>open</p></FeatureGate><Details /></> });
    await screen.findByText('error It is internal.');
    expect(screen.queryByText('open')).toBeNull();
  });

  test.each([['ada', 'admin', true], ['ada', 'owner', false], ['ben', 'admin', false], ['ben', 'viewer', true]] as const)('of roles: %s as %s %s', async (user, role, allowed) => {
    token = tokenOf(user);
    show(clientOf(), { children: <RequireRole role={role} fallback={<p>no</p>}><p>yes</p></RequireRole> });
    await screen.findByText(allowed ? 'yes' : 'no');
  });
});

describe('on a server', () => {
  test('it is loading, asks nothing, and what comes to the page fits', async () => {
    const tree = (client: VitalClient) => <TenantAuthProvider client={client}><Page /></TenantAuthProvider>;
    const html = renderToString(tree(clientOf()));
    expect(html).toBe('<p role="status">Loading…</p>');
    expect(vital.asked).toEqual([]);
    const container = document.body.appendChild(document.createElement('div'));
    container.innerHTML = html;
    const complaints = [vi.spyOn(console, 'error'), vi.spyOn(console, 'warn')];
    const recovered = vi.fn();
    const root = await act(async () => hydrateRoot(container, tree(clientOf()), { onRecoverableError: recovered }));
    await waitFor(() => expect(container.querySelector('h1')?.textContent).toBe('Tenant a'));
    expect(recovered).not.toHaveBeenCalled();
    for (const each of complaints) expect(each).not.toHaveBeenCalled();
    act(() => root.unmount());
    container.remove();
  });
});

test('hooks say where they belong', () => {
  vi.spyOn(console, 'error').mockImplementation(() => {});
  const quiet = (event: Event) => event.preventDefault();
  window.addEventListener('error', quiet);
  onTestFinished(() => window.removeEventListener('error', quiet));
  expect(() => render(<Page />)).toThrow('There is no TenantAuthProvider above this component.');
  const Early = () => <p>{useTenant().organization.name}</p>;
  expect(() => show(clientOf(), { loading: <Early /> })).toThrow('There is no tenant while the page is loading');
});
