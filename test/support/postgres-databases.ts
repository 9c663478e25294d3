import pg from 'pg';

/** @returns the URL of the new database */
export async function createDatabase(server: string, name: string, from?: string): Promise<string> {
  await administer(server, `create database ${name} template ${from ?? 'template0'}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}

export async function dropDatabase(server: string, name: string): Promise<void> {
  await administer(server, `drop database if exists ${name} with (force)`);
}

async function administer(server: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
