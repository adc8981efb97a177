/** What the server calls an archive that is made now. */
export function dated(subject: string, now = new Date()): string {
  return `${subject}-${now.toISOString().slice(0, 10)}.zip`;
}
