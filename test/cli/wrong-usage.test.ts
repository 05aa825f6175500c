import assert from 'node:assert/strict';
import { it } from 'node:test';
import { parseOptions as annotate } from '../../src/cli/annotate/options.js';
import { parseOptions as loadTest } from '../../scripts/load-test/options.js';
import { parseCommand as models } from '../../src/cli/models/options.js';

it('an option that a tool does not know is told with the one that was meant', () => {
  assert.throws(() => annotate(['in.mp4', 'out.mp4', '--detectfps', '5']), {
    message: "unknown option '--detectfps': did you mean --detect-fps?",
  });
  assert.throws(() => loadTest(['--cleints=5']), { message: "unknown option '--cleints': did you mean --clients?" });
  assert.throws(() => models(['list', '--regsitry', 'x']), { message: "unknown option '--regsitry': did you mean --registry?" });
  assert.throws(() => models(['list', '--frobnicate']), { message: "unknown option '--frobnicate'" });
});
