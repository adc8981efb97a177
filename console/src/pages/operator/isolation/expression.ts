// Expressions of policies, as PostgreSQL prints them, laid out for reading. What is changed means the same: white space, brackets around
// the whole and around what AND and OR join, and the name that a subquery gives its one column.

const token = /'(?:[^']|'')*'|"(?:[^"]|"")*"|\s+|[()]|[^\s()'"]+/g;

/** A word, or what stands in brackets. */
type Part = string | Part[];

/** Lays an expression out in lines of about `width`: what AND and OR join stands one below the other. */
export function layOut(expression: string, width = 62): string {
  return broken(bare(bracketed(expression.replace(unread, '$1').match(token) ?? [])), width, '').join('\n');
}

/** A call with the name of its column, which nobody refers to. */
const unread = /(\bSELECT (?:\w+\.)?(\w+)\(\)) AS \2\b(?=\))/g;

/** What stands in brackets that are around all of it; bracketed terms of an AND or OR likewise, where they join nothing themselves. */
function bare(parts: Part[]): Part[] {
  if (parts.length === 1 && Array.isArray(parts[0])) return bare(parts[0]);
  const joined = parts.some(joins);
  return parts.flatMap((part): Part[] => {
    if (!Array.isArray(part)) return [part];
    const inner = bare(part);
    return joined && lone(parts, part) && !inner.some(joins) ? inner : [inner];
  });
}

/** Whether a bracket is a whole term: nothing but AND, OR and space is beside it. */
function lone(parts: Part[], part: Part): boolean {
  const at = parts.indexOf(part);
  const beside = (piece: Part | undefined) => piece === undefined || piece === ' ' || joins(piece);
  const next = (step: number) => (parts[at + step] === ' ' ? parts[at + 2 * step] : parts[at + step]);
  return beside(next(-1)) && beside(next(1));
}

function bracketed(tokens: string[]): Part[] {
  const open: Part[][] = [[]];
  for (const piece of tokens) {
    if (piece === '(') {
      open.push([]);
    } else if (piece === ')' && open.length > 1) {
      const closed = open.pop()!;
      open.at(-1)!.push(closed);
    } else {
      open.at(-1)!.push(/^\s+$/.test(piece) ? ' ' : piece);
    }
  }
  // A bracket that nothing closes is left as it stands.
  return open.reduce((outer, inner) => [...outer, '(', ...inner]);
}

function flat(parts: Part[]): string {
  return parts.map((part) => (typeof part === 'string' ? part : `(${flat(part)})`)).join('').trim();
}

const joins = (part: Part) => part === 'AND' || part === 'OR';

function broken(parts: Part[], width: number, indent: string): string[] {
  const whole = flat(parts);
  if (indent.length + whole.length <= width) return [indent + whole];
  if (parts.some(joins) && !parts.includes('BETWEEN')) return terms(parts).flatMap(([join, term]) => prefixed(join, broken(term, width, indent + (join ? '  ' : '')), indent));
  const longest = parts.reduce<number>((best, part, at) => (Array.isArray(part) && flat(part).length > (best < 0 ? 12 : flat(parts[best] as Part[]).length) ? at : best), -1);
  if (longest < 0) return [indent + whole];
  const before = flat(parts.slice(0, longest));
  const space = parts[longest - 1] === ' ' ? ' ' : '';
  return [`${indent}${before}${space}(`, ...broken(parts[longest] as Part[], width, `${indent}  `), `${indent})${tail(parts.slice(longest + 1))}`];
}

function tail(parts: Part[]): string {
  return parts[0] === ' ' ? ` ${flat(parts)}` : flat(parts);
}

/** What AND and OR join, each with what joins it to the one before. */
function terms(parts: Part[]): [string, Part[]][] {
  const found: [string, Part[]][] = [['', []]];
  for (const part of parts) {
    if (joins(part)) found.push([part as string, []]);
    else found.at(-1)![1].push(part);
  }
  return found;
}

/** A term's lines behind its AND or OR. */
function prefixed(join: string, lines: string[], indent: string): string[] {
  if (join === '') return lines;
  return [`${indent}${join} ${lines[0]!.trimStart()}`, ...lines.slice(1)];
}
