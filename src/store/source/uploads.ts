// Files that were uploaded, in pieces. An upload is read by nobody before it is whole.
import type { StoredFile, Upload, UploadedFiles } from '#core/files.ts';
import type { ProviderKindName } from '#core/resource.ts';
import { type Db, sql } from '../database.ts';

/** Keeps a statement and a row small, and the memory flat. */
export const PIECE_BYTES = 256 * 1024;
/** The one in use, and the one before: a run may still be reading it. */
const KEPT = 2;

/** Begins an upload that nobody sees yet. Answers its id. */
export async function beginUpload(db: Db, provider: ProviderKindName, actor: string): Promise<string> {
  const { rows } = await sql<{ id: string }>(
    db,
    'insert into uploads (provider, uploaded_by) values (?, ?) returning id',
    [provider, actor],
  );
  return rows[0]?.id ?? '';
}

export async function addPiece(
  db: Db,
  piece: { readonly uploadId: string; readonly role: string; readonly seq: number; readonly bytes: Uint8Array },
): Promise<void> {
  await sql(db, 'insert into upload_pieces (upload_id, role, seq, bytes) values (?, ?, ?, ?)', [
    piece.uploadId,
    piece.role,
    piece.seq,
    Buffer.from(piece.bytes.buffer, piece.bytes.byteOffset, piece.bytes.byteLength),
  ]);
}

/** From now on this is the newest; all but the one before it go, and so do those that were never finished. */
export async function completeUpload(
  db: Db,
  {
    id,
    provider,
    files,
  }: { readonly id: string; readonly provider: ProviderKindName; readonly files: readonly StoredFile[] },
): Promise<Upload> {
  const { rows } = await sql<{ completed_at: Date }>(
    db,
    'update uploads set completed_at = clock_timestamp(), files = ?::jsonb where id = ? returning completed_at',
    [JSON.stringify(files), id],
  );
  await sql(
    db,
    `delete from uploads where provider = ? and (completed_at is null and begun_at < now() - interval '1 day'
       or completed_at is not null and id not in (
         select id from uploads where provider = ? and completed_at is not null order by completed_at desc limit ?))`,
    [provider, provider, KEPT],
  );
  return { id, files, uploadedAt: rows[0]?.completed_at ?? new Date(0) };
}

export async function dropUpload(db: Db, id: string): Promise<void> {
  await sql(db, 'delete from uploads where id = ?', [id]);
}

/** What a provider may ask of its uploads. */
export function uploadsOf(db: Db, provider: ProviderKindName): UploadedFiles {
  return {
    async latest() {
      const { rows } = await sql<{ id: string; files: readonly StoredFile[]; completed_at: Date }>(
        db,
        `select id, files, completed_at from uploads where provider = ? and completed_at is not null
         order by completed_at desc limit 1`,
        [provider],
      );
      const row = rows[0];
      return row === undefined ? undefined : { id: row.id, files: row.files, uploadedAt: row.completed_at };
    },
    async *read(upload, role, signal) {
      for (let seq = 0; ; seq += 1) {
        signal.throwIfAborted();
        const { rows } = await sql<{ bytes: Uint8Array }>(
          db,
          'select bytes from upload_pieces where upload_id = ? and role = ? and seq = ?',
          [upload.id, role, seq],
        );
        if (rows[0] === undefined) return;
        yield rows[0].bytes;
      }
    },
  };
}
