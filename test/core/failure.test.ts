import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  CheckpointExpiredError,
  ConfigError,
  CredentialsError,
  InputError,
  NotFoundError,
  UnavailableError,
  UpstreamError,
} from '#core/errors.ts';
import { describeError } from '#core/failure.ts';

describe('the failure of a run', () => {
  it('has one of the known kinds and a remedy, whatever was thrown', () => {
    for (const [error, failure] of [
      [new UpstreamError('x', { failure: 'network' }), 'network'],
      [new UpstreamError('x', { failure: 'throttled' }), 'throttled'],
      [new UpstreamError('x', { failure: 'source-incomplete' }), 'source-incomplete'],
      [new UpstreamError('x', { failure: 'server' }), 'server'],
      [new CredentialsError('x', { failure: 'auth' }), 'auth'],
      [new CredentialsError('x', { failure: 'consent' }), 'consent'],
      [new ConfigError('x'), 'config'],
      [new InputError('x'), 'config'],
      [new NotFoundError('x'), 'source-incomplete'],
      [new CheckpointExpiredError('x'), 'source-incomplete'],
      [new UnavailableError('x'), 'internal'],
      [new TypeError('x'), 'internal'],
      ['not even an error', 'internal'],
    ] as const) {
      const described = describeError(error);
      assert.equal(described.failure, failure);
      assert.ok((described.remedy ?? '').length > 10, failure);
    }
  });

  it('keeps the remedy of the error where it has one, and never the words of a bug', () => {
    assert.equal(describeError(new ConfigError('x', { remedy: 'Do this.' })).remedy, 'Do this.');
    assert.ok(!JSON.stringify(describeError(new TypeError('secret internals'))).includes('secret'));
  });
});
