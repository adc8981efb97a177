// Signing in with the unmodified supabase-js v2, as GoTrue's users do.
import assert from 'node:assert/strict';
import { createHmac, randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { ada, alex, ben, cyd, dana, up } from './server.mjs';

const page = 'http://app.vital.test'; // a web origin that may call
let vital;
let service;

before(async () => {
  vital = await up({ VITAL_CORS_ORIGINS: page });
  service = vital.asService();
});

after(() => vital?.stop());

function got({ data, error }) {
  assert.equal(error, null);
  return data;
}

function refused({ error }, code, status) {
  assert.equal(error?.code, code, error ? `${error.name} ${error.code} ${error.message}` : 'no error');
  if (status) assert.equal(error.status, status);
  return error;
}

/** A client in which a demo user has signed in with the password that `vital up` printed. */
async function signedIn(email, password = vital.passwords[email]) {
  const client = vital.client();
  got(await client.auth.signInWithPassword({ email, password }));
  return client;
}

/** A fresh account in digital-health, in a client that is signed in. */
async function invited(email, password = 'correct horse battery') {
  const admin = await vital.as(ada);
  const [{ token }] = got(await admin.rpc('invite_member', { p_email: email }));
  const client = vital.client();
  const { session } = got(await client.auth.signUp({ email, password, options: { data: { invitation_token: token, full_name: 'Nia New' } } }));
  assert.ok(session, 'signing up by invitation begins a session');
  return client;
}

const sees = async (client) => got(await client.from('organizations').select('slug').order('slug')).map((o) => o.slug);

describe('signing up', () => {
  test('by invitation: account, profile, membership and session in one call', async () => {
    const client = await invited('nia@digital-health.vital.test');
    assert.deepEqual(await sees(client), ['digital-health']);
    const { user } = got(await client.auth.getUser());
    assert.equal(user.email, 'nia@digital-health.vital.test');
    assert.equal(user.user_metadata.full_name, 'Nia New');
    assert.equal(user.user_metadata.invitation_token, undefined, 'the secret is not kept');
    const context = got(await client.rpc('get_user_tenant_context', { p_user_id: user.id }));
    assert.deepEqual([context.user.full_name, context.membership.role], ['Nia New', 'member']);
  });

  test('is refused without an invitation, or with another\'s', async () => {
    const email = 'stranger@elsewhere.test';
    refused(await vital.client().auth.signUp({ email, password: 'correct horse battery' }), 'signup_disabled', 422);
    const admin = await vital.as(ada);
    const [{ token }] = got(await admin.rpc('invite_member', { p_email: 'somebody@elsewhere.test' }));
    refused(await vital.client().auth.signUp({ email, password: 'correct horse battery', options: { data: { invitation_token: token } } }), 'signup_disabled', 422);
    refused(await vital.client().auth.signUp({ email: 'somebody@elsewhere.test', password: 'correct horse battery', options: { data: { invitation_token: `${token}x` } } }), 'invite_not_found');
    refused(await vital.client().auth.signInWithPassword({ email, password: 'correct horse battery' }), 'invalid_credentials', 400);
  });

  test('an invitation does not open an account that exists, and is good once', async () => {
    const admin = await vital.as(ada);
    const [{ token }] = got(await admin.rpc('invite_member', { p_email: cyd }));
    const { session } = got(await vital.client().auth.signUp({ email: cyd, password: 'taken over by mail', options: { data: { invitation_token: token } } }));
    assert.equal(session, null);
    refused(await vital.client().auth.signInWithPassword({ email: cyd, password: 'taken over by mail' }), 'invalid_credentials');
    const owner = await signedIn(cyd);
    got(await owner.rpc('accept_invitation', { p_token: token }));
    assert.deepEqual(await sees(owner), ['digital-health', 'pharma']);
    assert.ok((await owner.rpc('accept_invitation', { p_token: token })).error);
  });

  test('a weak password is refused with the reason', async () => {
    const error = refused(await vital.client().auth.signUp({ email: 'weak@elsewhere.test', password: 'short' }), 'weak_password', 422);
    assert.deepEqual([error.name, error.reasons], ['AuthWeakPasswordError', ['length']]);
  });

  test('what is not offered is refused', async () => {
    assert.ok((await vital.client().auth.signInAnonymously()).error);
    assert.ok((await vital.client().auth.signInWithOtp({ email: ada })).error);
    assert.ok((await vital.client().auth.signInWithIdToken({ provider: 'google', token: 'x' })).error);
  });
});

describe('signing in', () => {
  test('every demo user, with the password that was printed', async () => {
    for (const [email, tenants] of [[ada, ['digital-health']], [ben, ['digital-health']], [dana, ['digital-health', 'pharma']], [alex, ['digital-health', 'pharma', 'platform']]]) {
      assert.deepEqual(await sees(await signedIn(email)), tenants, email);
    }
  });

  test('getSession, getUser and getClaims agree', async () => {
    const client = await signedIn(ada);
    const { session } = got(await client.auth.getSession());
    assert.equal(session.token_type, 'bearer');
    assert.ok(session.expires_at > Date.now() / 1000 + 3000);
    const { user } = got(await client.auth.getUser());
    assert.equal(user.email, ada);
    assert.deepEqual([user.aud, user.role, user.app_metadata.provider], ['authenticated', 'authenticated', 'email']);
    assert.equal(user.id, session.user.id);
    const { claims, header } = got(await client.auth.getClaims()); // verified in this process, with the published keys
    assert.deepEqual([claims.sub, claims.email, claims.role, header.alg], [user.id, ada, 'authenticated', 'ES256']);
    assert.equal(got(await vital.client().auth.getUser(session.access_token)).user.id, user.id);
  });

  test('events as a page listens to them', async () => {
    const client = vital.client();
    const events = [];
    client.auth.onAuthStateChange((event) => { events.push(event); });
    got(await client.auth.signInWithPassword({ email: ben, password: vital.passwords[ben] }));
    got(await client.auth.refreshSession());
    assert.equal((await client.auth.signOut({ scope: 'local' })).error, null);
    assert.deepEqual(events.filter((event) => event !== 'INITIAL_SESSION'), ['SIGNED_IN', 'TOKEN_REFRESHED', 'SIGNED_OUT']);
  });

  test('a wrong password and an unknown account answer alike', async () => {
    const wrong = refused(await vital.client().auth.signInWithPassword({ email: ada, password: 'not the password' }), 'invalid_credentials', 400);
    const unknown = refused(await vital.client().auth.signInWithPassword({ email: 'nobody@elsewhere.test', password: 'not the password' }), 'invalid_credentials', 400);
    assert.equal(wrong.message, 'Invalid login credentials');
    assert.equal(unknown.message, wrong.message);
  });

  test('guessing is slowed, also with the right password, and for nobody else', async () => {
    const email = 'guessed@digital-health.vital.test';
    await invited(email);
    let code;
    for (let attempt = 0; attempt < 40 && code !== 'over_request_rate_limit'; attempt++) {
      ({ code } = (await vital.client().auth.signInWithPassword({ email, password: `guess number ${attempt}` })).error);
      if (attempt < 3) assert.equal(code, 'invalid_credentials', 'a few typing errors are forgiven');
    }
    refused(await vital.client().auth.signInWithPassword({ email, password: 'correct horse battery' }), 'over_request_rate_limit', 429);
    await signedIn(ada);
  });

  test('refreshSession gives new tokens; the new ones go on, the old refresh token gives the same successor', async () => {
    const client = await signedIn(ada);
    const { session: first } = got(await client.auth.getSession());
    const { session: second } = got(await client.auth.refreshSession());
    assert.notEqual(second.refresh_token, first.refresh_token);
    assert.notEqual(second.access_token, first.access_token);
    assert.deepEqual(await sees(client), ['digital-health']);
    const other = vital.client();
    const { session: again } = got(await other.auth.refreshSession({ refresh_token: first.refresh_token }));
    assert.equal(again.refresh_token, second.refresh_token, 'two tabs that refresh at once');
    refused(await vital.client().auth.refreshSession({ refresh_token: 'no-such-refresh-token' }), 'refresh_token_not_found', 400);
  });

  test('setSession takes a session up elsewhere', async () => {
    const { session } = got(await (await signedIn(ben)).auth.getSession());
    const other = vital.client();
    got(await other.auth.setSession({ access_token: session.access_token, refresh_token: session.refresh_token }));
    assert.equal(got(await other.auth.getUser()).user.email, ben);
  });
});

describe('an account', () => {
  test('updateUser changes data, and can grant nothing', async () => {
    const client = await invited('una@digital-health.vital.test');
    const { user } = got(await client.auth.updateUser({ data: { theme: 'dark', role: 'service_role', tenant_id: 'pharma', app_metadata: { tenant_id: 'pharma' } } }));
    assert.equal(user.user_metadata.theme, 'dark');
    got(await client.auth.refreshSession());
    assert.deepEqual(await sees(client), ['digital-health']);
    assert.deepEqual(got(await client.rpc('get_user_tenant_context')).organization.slug, 'digital-health');
  });

  test('a new password replaces the old one and ends the other sessions', async () => {
    const email = 'paul@digital-health.vital.test';
    const client = await invited(email);
    const elsewhere = await signedIn(email, 'correct horse battery');
    got(await client.auth.updateUser({ password: 'staple of batteries' }));
    assert.deepEqual(await sees(client), ['digital-health'], 'this session goes on');
    refused(await elsewhere.from('organizations').select(), 'session_revoked');
    refused(await vital.client().auth.signInWithPassword({ email, password: 'correct horse battery' }), 'invalid_credentials');
    await signedIn(email, 'staple of batteries');
  });

  test('a forgotten password, by the link in the log', async () => {
    const email = 'rita@digital-health.vital.test';
    await invited(email);
    const asked = await vital.client().auth.resetPasswordForEmail(email, { redirectTo: `${page}/reset` });
    assert.equal(asked.error, null);
    const { link } = await vital.logLine(`"to":"${email}"`);
    assert.ok(link.startsWith(`${vital.url}/auth/v1/verify?`), link);
    const opened = await fetch(link, { redirect: 'manual' });
    const back = new URL(opened.headers.get('location'));
    assert.equal(back.origin + back.pathname, `${page}/reset`);
    const fragment = new URLSearchParams(back.hash.slice(1));
    assert.equal(fragment.get('type'), 'recovery');
    const client = vital.client();
    got(await client.auth.setSession({ access_token: fragment.get('access_token'), refresh_token: fragment.get('refresh_token') }));
    got(await client.auth.updateUser({ password: 'found another one' }));
    await signedIn(email, 'found another one');
    refused(await vital.client().auth.signInWithPassword({ email, password: 'correct horse battery' }), 'invalid_credentials');
    const again = await fetch(link, { redirect: 'manual' });
    assert.equal(new URLSearchParams(new URL(again.headers.get('location')).hash.slice(1)).get('error_code'), 'otp_expired', 'a link is good once');
  });

  test('an unknown address is answered like a known one; a foreign page gets no session', async () => {
    const unknown = await vital.client().auth.resetPasswordForEmail('nobody@elsewhere.test');
    assert.equal(unknown.error, null);
    const email = 'rolf@digital-health.vital.test';
    await invited(email);
    assert.equal((await vital.client().auth.resetPasswordForEmail(email, { redirectTo: 'http://evil.test/' })).error, null);
    const { link } = await vital.logLine(`"to":"${email}"`);
    const opened = await fetch(link, { redirect: 'manual' });
    assert.equal(opened.headers.get('location'), null);
  });

  test('verifyOtp takes the link\'s token', async () => {
    const email = 'otis@digital-health.vital.test';
    await invited(email);
    const { properties } = got(await service.auth.admin.generateLink({ type: 'recovery', email }));
    const client = vital.client();
    const { user } = got(await client.auth.verifyOtp({ type: 'recovery', token_hash: properties.hashed_token }));
    assert.equal(user.email, email);
    refused(await vital.client().auth.verifyOtp({ type: 'recovery', token_hash: properties.hashed_token }), 'otp_expired', 403);
  });
});

describe('signing out', () => {
  /** Three sessions of one account, the first of which signs out. */
  async function three(scope) {
    const email = `out-${scope}@digital-health.vital.test`;
    const first = await invited(email);
    const others = [await signedIn(email, 'correct horse battery'), await signedIn(email, 'correct horse battery')];
    const { session } = got(await first.auth.getSession());
    const { error } = await first.auth.signOut({ scope });
    assert.equal(error, null);
    return { first, others, token: session.access_token };
  }

  /** A session has ended: rows, account and refreshing are refused at once, although its token has not expired. */
  async function ended(token) {
    const bearer = vital.client(vital.anonKey, { global: { headers: { Authorization: `Bearer ${token}` } } });
    refused(await bearer.from('organizations').select(), 'session_revoked');
    const { error } = await vital.client().auth.getUser(token);
    assert.equal(error.name, 'AuthSessionMissingError');
  }

  test('global ends every session at once', async () => {
    const { others, token } = await three('global');
    await ended(token);
    for (const other of others) {
      const { session } = got(await other.auth.getSession());
      await ended(session.access_token);
      refused(await other.auth.refreshSession(), 'refresh_token_not_found');
    }
  });

  test('local ends this one', async () => {
    const { first, others, token } = await three('local');
    await ended(token);
    assert.equal(got(await first.auth.getSession()).session, null);
    for (const other of others) assert.deepEqual(await sees(other), ['digital-health']);
  });

  test('others ends all but this one', async () => {
    const { first, others } = await three('others');
    assert.deepEqual(await sees(first), ['digital-health']);
    for (const other of others) await ended(got(await other.auth.getSession()).session.access_token);
  });
});

describe('tokens', () => {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const hs256 = (claims, secret) => {
    const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
    return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
  };
  const bearing = (token) => vital.client(vital.anonKey, { global: { headers: { Authorization: `Bearer ${token}` } } });

  async function claimsOf(email) {
    return JSON.parse(Buffer.from((await vital.token(email)).split('.')[1], 'base64url').toString());
  }

  /** Rows, account and administration are refused. */
  async function isRefused(token, code) {
    refused(await bearing(token).from('organizations').select(), code);
    refused(await vital.client().auth.getUser(token), 'bad_jwt', 403);
  }

  test('one signed with the right secret is good; expired, or not yet valid, it is not', async () => {
    const secret = await vital.jwtSecret();
    const now = Math.floor(Date.now() / 1000);
    const claims = await claimsOf(ada);
    assert.deepEqual(await sees(bearing(hs256(claims, secret))), ['digital-health']);
    await isRefused(hs256({ ...claims, iat: now - 7200, exp: now - 3600 }, secret), 'token_expired');
    await isRefused(hs256({ ...claims, nbf: now + 3600, exp: now + 7200 }, secret), 'token_not_yet_valid');
    const { exp, ...forever } = claims;
    refused(await bearing(hs256(forever, secret)).from('organizations').select(), 'token_bad_claims');
  });

  test('forged ones: another secret, none, a published key as the secret, other claims under a good signature', async () => {
    const claims = await claimsOf(alex);
    await isRefused(hs256(claims, 'a secret that is long enough but not ours'), 'token_bad_signature');
    await isRefused(`${part({ alg: 'none', typ: 'JWT' })}.${part(claims)}.`, 'token_algorithm');
    const { keys: [key] } = await (await fetch(`${vital.url}/auth/v1/.well-known/jwks.json`)).json();
    for (const secret of [JSON.stringify(key), key.x, Buffer.from(key.x, 'base64url')]) {
      await isRefused(hs256(claims, secret), 'token_bad_signature');
    }
    const { session } = got(await (await signedIn(ada)).auth.getSession());
    const [header, , signature] = session.access_token.split('.');
    await isRefused(`${header}.${part(claims)}.${signature}`, 'token_bad_signature');
    await isRefused('nonsense', 'token_malformed');
  });

  test('a role nobody has given', async () => {
    const secret = await vital.jwtSecret();
    const claims = await claimsOf(ada);
    for (const role of ['postgres', 'vital_owner', 'vital_service', '']) {
      assert.ok((await bearing(hs256({ ...claims, role }, secret)).from('organizations').select()).error, role);
    }
  });

  test('a key that is not one, and one that was revoked', async () => {
    refused(await vital.client('vital_anon_nonsense').from('organizations').select(), 'api_key_invalid', undefined);
    const key = await vital.command('key', 'create', '--role', 'service', '--name', 'short-lived');
    const client = vital.client(key);
    assert.equal((await sees(client)).length, 3);
    const listed = JSON.parse(await vital.command('key', 'list', '--json'));
    await vital.command('key', 'revoke', listed.find((k) => k.name === 'short-lived').id);
    assert.ok((await client.from('organizations').select()).error);
  });
});

describe('the admin API', () => {
  test('creates, reads, lists, changes, bans and deletes accounts', async () => {
    const email = 'made@digital-health.vital.test';
    const { user } = got(await service.auth.admin.createUser({ email, password: 'made by an operator', email_confirm: true, user_metadata: { full_name: 'Mae Made' } }));
    assert.equal(got(await service.auth.admin.getUserById(user.id)).user.email, email);
    const { users, total } = got(await service.auth.admin.listUsers({ page: 1, perPage: 50 }));
    assert.ok(users.some((u) => u.id === user.id));
    assert.equal(total, users.length);
    const client = await signedIn(email, 'made by an operator');
    got(await service.auth.admin.updateUserById(user.id, { app_metadata: { tenant_id: 'digital-health' } }));
    got(await client.auth.refreshSession());
    // Not a member: naming the tenant in the token opens nothing.
    assert.deepEqual((await client.from('agents').select()).data ?? [], []);
    got(await service.auth.admin.updateUserById(user.id, { ban_duration: '24h' }));
    refused(await client.from('organizations').select(), 'session_revoked');
    refused(await vital.client().auth.signInWithPassword({ email, password: 'made by an operator' }), 'user_banned');
    got(await service.auth.admin.updateUserById(user.id, { ban_duration: 'none', password: 'another by an operator' }));
    await signedIn(email, 'another by an operator');
    got(await service.auth.admin.deleteUser(user.id));
    refused(await service.auth.admin.getUserById(user.id), 'user_not_found', 404);
    refused(await vital.client().auth.signInWithPassword({ email, password: 'another by an operator' }), 'invalid_credentials');
  });

  test('the same address twice, and an invitation by mail', async () => {
    refused(await service.auth.admin.createUser({ email: ada, password: 'correct horse battery' }), 'email_exists', 422);
    const email = 'mailed@digital-health.vital.test';
    const { user } = got(await service.auth.admin.inviteUserByEmail(email));
    assert.ok(user.invited_at);
    const { link } = await vital.logLine(`"to":"${email}"`);
    const token = new URL(link).searchParams.get('token');
    const client = vital.client();
    got(await client.auth.verifyOtp({ type: 'invite', token_hash: token }));
    got(await client.auth.updateUser({ password: 'set at the first visit' }));
    await signedIn(email, 'set at the first visit');
  });

  test('an admin signs a user\'s sessions out', async () => {
    const client = await invited('gone@digital-health.vital.test');
    const { session } = got(await client.auth.getSession());
    assert.equal((await service.auth.admin.signOut(session.access_token, 'global')).error, null);
    refused(await client.from('organizations').select(), 'session_revoked');
  });

  test('is closed to users, to super admins of the product, and to the anon key', async () => {
    for (const client of [vital.client(), await signedIn(ada), await signedIn(alex)]) {
      const { session } = got(await client.auth.getSession());
      const caller = session ? vital.client(vital.anonKey, { global: { headers: { Authorization: `Bearer ${session.access_token}` } } }) : client;
      const { error } = await caller.auth.admin.listUsers();
      assert.ok(error, 'listed');
      assert.ok([401, 403].includes(error.status), `${error.status} ${error.code}`);
      assert.ok((await caller.auth.admin.createUser({ email: 'x@elsewhere.test', password: 'correct horse battery' })).error);
    }
  });

  test('a service key from a browser is refused, for rows and for accounts', async () => {
    for (const Origin of [page, 'http://evil.test', 'null']) {
      const browser = vital.client(vital.serviceKey, { global: { headers: { Origin } } });
      refused(await browser.from('organizations').select(), 'origin_not_allowed');
      refused(await browser.rpc('get_user_tenant_id'), 'origin_not_allowed');
      refused(await browser.auth.admin.listUsers(), 'origin_not_allowed', 403);
    }
  });
});

describe('switching tenants', () => {
  test('by a header of one request, of a client, and by the user\'s default', async () => {
    const client = await signedIn(dana);
    const agents = async (request) => got(await request).map((a) => a.slug);
    const own = () => client.from('agents').select('slug').order('slug');
    assert.deepEqual(await agents(own()), ['helper', 'label-checker']);
    assert.deepEqual(await agents(own().setHeader('Vital-Tenant', 'digital-health')), ['helper', 'trial-matcher']);
    assert.deepEqual(await agents(own()), ['helper', 'label-checker'], 'the header is of one request');

    const { session } = got(await client.auth.getSession());
    const switched = vital.client(vital.anonKey, { global: { headers: { 'Vital-Tenant': 'digital-health' } } });
    got(await switched.auth.setSession(session));
    const context = got(await switched.rpc('get_user_tenant_context'));
    assert.deepEqual([context.organization.slug, context.membership.role], ['digital-health', 'member']);
    assert.deepEqual(await agents(switched.from('agents').select('slug').order('slug')), ['helper', 'trial-matcher']);

    const target = context.tenants.find((t) => t.slug === 'digital-health');
    got(await client.rpc('set_default_tenant', { p_tenant_id: target.id }));
    assert.deepEqual(await agents(own()), ['helper', 'trial-matcher']);
  });

  test('a tenant one is no member of, and one that does not exist', async () => {
    const client = await signedIn(ben);
    const errors = [];
    for (const tenant of ['pharma', 'no-such-tenant', randomUUID()]) {
      errors.push(refused(await client.from('agents').select().setHeader('Vital-Tenant', tenant), 'tenant_not_found'));
      refused(await client.rpc('get_user_tenant_context').setHeader('Vital-Tenant', tenant), 'tenant_not_found');
    }
    assert.equal(new Set(errors.map((error) => JSON.stringify(error))).size, 1);
  });

  test('a removed member sees nothing from the next request on', async () => {
    const client = await invited('mona@digital-health.vital.test');
    assert.deepEqual(await sees(client), ['digital-health']);
    const { user } = got(await client.auth.getUser());
    got(await (await vital.as(ada)).rpc('remove_member', { p_user_id: user.id }));
    assert.deepEqual((await client.from('organizations').select()).data ?? [], []);
    assert.deepEqual((await client.from('agents').select()).data ?? [], []);
  });
});
