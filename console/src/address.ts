// Which tenant an address names: /console/t/{slug}/…

const base = import.meta.env.BASE_URL; // "/console/"

/** The tenant that a path names, undefined where it names none. */
export function tenantOf(pathname: string): string | undefined {
  const named = pathname.startsWith(base) ? /^t\/([^/]+)/.exec(pathname.slice(base.length))?.[1] : undefined;
  try {
    return named && decodeURIComponent(named);
  } catch {
    return named; // no encoding of anything, and no tenant either
  }
}
