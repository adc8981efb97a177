// Whether all of an archive has arrived. Its directory stands at its end: what was cut off before that is no archive.
import { VitalError } from '@vital-db/client';

/** How long the end of a zip file is, and how it begins. */
const endLength = 22;
const endMark = [0x50, 0x4b, 0x05, 0x06];

/** Why there is no archive. */
export function unfinished(message: string, cause?: unknown): VitalError {
  return new VitalError({ code: 'download_unfinished', message, hint: 'What had arrived is no archive, and was thrown away. Begin again.', cause });
}

export interface Watched {
  /** The same, to hand on. One that is cut off is an error at its end. */
  stream: ReadableStream<Uint8Array>;
  /** Why it ended before its time; whoever takes the stream may tell something else. */
  failure: () => unknown;
}

/** Watches a zip file arrive, and tells how many bytes of it have. */
export function watched(body: ReadableStream<Uint8Array>, tell: (bytes: number) => void): Watched {
  const reader = body.getReader();
  let bytes = 0;
  let tail = new Uint8Array();
  let failure: unknown;
  const stream = new ReadableStream<Uint8Array>({
    async pull(passed) {
      try {
        const { done, value } = await reader.read();
        if (done && (tail.length < endLength || endMark.some((byte, at) => tail[at] !== byte))) throw unfinished('The archive ended before all of it was there.');
        if (done) { passed.close(); return; }
        bytes += value.length;
        tail = new Uint8Array([...tail, ...value.slice(-endLength)]).slice(-endLength);
        tell(bytes);
        passed.enqueue(value);
      } catch (error) {
        failure = error;
        passed.error(error);
      }
    },
    cancel: (reason) => reader.cancel(reason),
  });
  return { stream, failure: () => failure };
}
