import { expect, test } from 'vitest';
import { asGbuildError } from '../../../src/commands/base/report-error.ts';

test("a folder that another user made is no bug of gbuild's: the error names it", () => {
  const refused = Object.assign(new Error("EACCES: permission denied, mkdir '/a/b'"), {
    code: 'EACCES',
    path: '/a/b',
    syscall: 'mkdir',
  });
  const { code, exitCode, message, suggestions } = asGbuildError(refused);
  expect({ code, exitCode, message, suggestions }).toMatchInlineSnapshot(`
    {
      "code": "disk-failed",
      "exitCode": 3,
      "message": "this user is not allowed to mkdir /a/b (EACCES)",
      "suggestions": [
        "namei -l /a/b   # whose it is",
      ],
    }
  `);
  expect(asGbuildError(Object.assign(new Error('spawn EACCES'), { code: 'EACCES' })).code).toBe('bug');
});
