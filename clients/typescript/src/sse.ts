/** One message of a stream of server-sent events, as the HTML standard reads it. */
export interface Message {
  event: string;
  data: string;
  id: string | undefined;
  retry: number | undefined;
}

/** The messages of a body, as they come; `heard` is called with each piece, comments included. */
export async function* messages(body: ReadableStream<Uint8Array>, heard: () => void): AsyncGenerator<Message> {
  const reader = body.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>).getReader();
  try {
    for (let rest = ''; ;) {
      const { done, value } = await reader.read();
      if (done) return;
      heard();
      const text = rest + value;
      const held = text.endsWith('\r') ? '\r' : ''; // its \n may be in the next piece
      const blocks = text.slice(0, text.length - held.length).replace(/\r\n?/g, '\n').split('\n\n');
      rest = (blocks.pop() ?? '') + held;
      for (const block of blocks) yield messageOf(block);
    }
  } finally {
    await reader.cancel().catch(() => {}); // what was read is read, however the connection ends
  }
}

function messageOf(block: string): Message {
  const message: Message = { event: 'message', data: '', id: undefined, retry: undefined };
  const data: string[] = [];
  for (const line of block.split('\n')) {
    const [, name = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/.exec(line) ?? [];
    if (name === 'data') data.push(value);
    else if (name === 'event') message.event = value;
    else if (name === 'id') message.id = value;
    else if (name === 'retry' && /^\d+$/.test(value)) message.retry = Number(value);
  }
  message.data = data.join('\n');
  return message;
}
