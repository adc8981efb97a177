// Archives, as who has one opens it: by the zip file's own directory, its manifest and signature.
import assert from 'node:assert/strict';
import { createHash, createPublicKey, verify } from 'node:crypto';
import { gunzipSync, inflateRawSync } from 'node:zlib';

/** What is in a zip file, by name. */
function unzip(zip) {
  const end = zip.length - 22; // of one without a comment
  assert.equal(zip.readUInt32LE(end), 0x06054b50, 'a zip file ends in its directory');
  const files = new Map();
  for (let n = zip.readUInt16LE(end + 10), at = zip.readUInt32LE(end + 16); n > 0; n -= 1) {
    assert.equal(zip.readUInt32LE(at), 0x02014b50);
    const [name, extra, comment] = [28, 30, 32].map((field) => zip.readUInt16LE(at + field));
    const entry = zip.readUInt32LE(at + 42);
    const begins = entry + 30 + zip.readUInt16LE(entry + 26) + zip.readUInt16LE(entry + 28);
    const packed = zip.subarray(begins, begins + zip.readUInt32LE(at + 20));
    files.set(zip.toString('utf8', at + 46, at + 46 + name), zip.readUInt16LE(at + 10) === 0 ? packed : inflateRawSync(packed));
    at += 46 + name + extra + comment;
  }
  return files;
}

/** The rows of an archive by table, once it has all that its signed manifest says. */
export function openArchive(zip) {
  const files = unzip(zip);
  const text = files.get('manifest.json');
  const manifest = JSON.parse(text);
  const key = createPublicKey({ key: Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), Buffer.from(manifest.public_key, 'base64')]), format: 'der', type: 'spki' });
  assert.ok(verify(null, Buffer.concat([Buffer.from('vital archive manifest 1\n'), text]), key, files.get('manifest.sig')), 'the signature is good');
  const tables = {};
  for (const { schema, name, file, rows, bytes, sha256 } of manifest.tables) {
    const lines = gunzipSync(files.get(file));
    assert.equal(createHash('sha256').update(lines).digest('hex'), sha256, `${name} is whole`);
    assert.equal(lines.length, bytes);
    tables[`${schema}.${name}`] = lines.toString().split('\n').filter(Boolean).map((line) => JSON.parse(line));
    assert.equal(tables[`${schema}.${name}`].length, rows);
  }
  assert.equal(files.size, manifest.tables.length + 2, 'nothing else is in it');
  return { manifest, tables };
}
