import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ConflictError } from '#core/errors.ts';
import { redirectUriOf } from '#sync/provider/connect.ts';

const at = (publicUrl: string): string => redirectUriOf({ publicUrl: () => publicUrl }, 'microsoft365');

describe('the address to which a source returns', () => {
  it('is one, below the public URL, whatever path that has', () => {
    assert.equal(at('https://sluice.example.com'), 'https://sluice.example.com/connect/microsoft365');
    assert.equal(at('https://example.com/sluice/'), 'https://example.com/sluice/connect/microsoft365');
    assert.equal(at('http://localhost:8080'), 'http://localhost:8080/connect/microsoft365');
  });

  it('is https, or this machine', () => {
    assert.throws(
      () => at('http://sluice.example.com'),
      (error) =>
        error instanceof ConflictError && error.reason === 'public-url-needed' && /PUBLIC_URL/.test(error.remedy ?? ''),
    );
  });
});
