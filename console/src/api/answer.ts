import { VitalError } from '@vital-db/client';

/** What postgrest-js resolves to. */
interface Answer<T> {
  data: T;
  error: { code: string; message: string; hint: string; details: string } | null;
  status: number;
  count?: number | null;
}

/** What was asked for; throws why it could not be had. */
export async function told<T>(asked: PromiseLike<Answer<T>>): Promise<NonNullable<T>> {
  const { data } = await answered(asked);
  return data as NonNullable<T>;
}

/** As {@link told}, of a function or write that answers with nothing. */
export async function done(asked: PromiseLike<Answer<unknown>>): Promise<void> {
  await answered(asked);
}

/** As {@link told}, with how many rows there are in all. */
export async function counted<T>(asked: PromiseLike<Answer<T>>): Promise<{ rows: NonNullable<T>; count: number }> {
  const { data, count } = await answered(asked);
  return { rows: data as NonNullable<T>, count: count ?? 0 };
}

/** A response of the server's own routes; throws why it was refused. */
export async function checked(asked: Promise<Response>): Promise<Response> {
  const response = await asked;
  if (response.ok) return response;
  const told = await response.json().catch(() => ({})) as { code?: string; title?: string; hint?: string };
  throw new VitalError({ code: told.code ?? `http_${response.status}`, message: told.title ?? `The answer was ${response.status}.`, hint: told.hint, status: response.status, requestId: response.headers.get('X-Request-Id') ?? undefined, retryAfter: Number(response.headers.get('Retry-After')) || undefined });
}

/** The one row that was changed, which was selected with it. A write that met no row has met one that is gone, or is another's to change. */
export async function changed<Row>(asked: PromiseLike<Answer<Row[] | null>>): Promise<Row> {
  const [row] = await told(asked);
  if (row !== undefined) return row;
  throw new VitalError({ code: 'not_found', message: 'It is not there any more, or it is not yours to change.', hint: 'The list shows what there is now.', status: 404 });
}

/** How many rows there are, of a query with `head` and `count`. */
export async function howMany(asked: PromiseLike<Answer<unknown>>): Promise<number> {
  return (await answered(asked)).count ?? 0;
}

async function answered<T>(asked: PromiseLike<Answer<T>>): Promise<Answer<T>> {
  const answer = await asked;
  const { error, status } = answer;
  if (!error) return answer;
  throw new VitalError({ code: error.code || 'network', message: error.message, hint: error.hint || error.details, status });
}
