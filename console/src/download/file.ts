// Where an archive goes. A browser that lets pages write to a file the user has chosen writes what arrives straight to it, whatever its size;
// any other keeps it until it is whole, and then saves it like every download.

export interface Target {
  /** What the file is called: by the user, where they were asked. */
  name: string;
  /** Takes all of a stream, and returns how many bytes that were. */
  take(stream: ReadableStream<Uint8Array>, signal: AbortSignal): Promise<number>;
  /** Leaves nothing behind of what was not taken whole. */
  discard(): Promise<void>;
}

/** What TypeScript does not know of the File System API yet. */
interface Picking { showSaveFilePicker?(options: { suggestedName: string; types: { description: string; accept: Record<string, string[]> }[] }): Promise<Chosen> }
interface Chosen extends FileSystemFileHandle { remove?(): Promise<void> }

export async function chooseFile(name: string): Promise<Target> {
  const { showSaveFilePicker: pick } = window as Picking;
  if (!pick) return saved(name);
  try {
    return written(await pick.call(window, { suggestedName: name, types: [{ description: 'Zip archive', accept: { 'application/zip': ['.zip'] } }] }));
  } catch (error) {
    if ((error as Error).name === 'AbortError') throw new Error('No file was chosen, so nothing was downloaded.');
    return saved(name); // a page that may not ask, as in a frame
  }
}

/** Into a file: it is there under its name once it was closed, and until then beside it. */
function written(file: Chosen): Target {
  return {
    name: file.name,
    async take(stream, signal) {
      await stream.pipeTo(await file.createWritable(), { signal });
      return (await file.getFile()).size;
    },
    async discard() {
      // The browser has made it, empty, when it was chosen. That the user has removed it since is as well.
      if (await file.getFile().then(({ size }) => size === 0, () => false)) await file.remove?.().catch(() => {});
    },
  };
}

/** As every download: what arrives is the browser's to keep, on disk where it is much. */
function saved(name: string): Target {
  return {
    name,
    async take(stream, signal) {
      const whole = new Response(stream.pipeThrough(new TransformStream(), { signal }), { headers: { 'Content-Type': 'application/zip' } });
      const blob = await whole.blob();
      save(blob, name);
      return blob.size;
    },
    async discard() {},
  };
}

/** Gives contents to the user as a file. */
export function save(contents: Blob, name: string): void {
  const address = URL.createObjectURL(contents);
  Object.assign(document.createElement('a'), { href: address, download: name }).click();
  URL.revokeObjectURL(address);
}
