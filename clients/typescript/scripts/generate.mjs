// Writes src/schema.ts and src/database.ts anew.
import { writeFile } from 'node:fs/promises';
import { databaseOf } from './database.mjs';
import { schemaOf } from './schema.mjs';
import { up } from './vital.mjs';

const vital = await up();
try {
  await writeFile(new URL('../src/schema.ts', import.meta.url), await schemaOf(vital.url));
  await writeFile(new URL('../src/database.ts', import.meta.url), await databaseOf(vital.dataDir));
} finally {
  await vital.stop();
}
