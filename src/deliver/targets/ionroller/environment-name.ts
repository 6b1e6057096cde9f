/**
 * Returns the name of the environment that ION-Roller makes for a version, without the three random letters at its end,
 * and whether a part of the version is cut off.
 */
export function nameEnvironment(service: string, version: string): { name: string; isCut: boolean } {
  const whole = `${service.slice(0, 10)}-${version}`.replaceAll(/[^0-9a-zA-Z-]/g, '-').replace(/^-*/, '');
  return { name: whole.slice(0, 19), isCut: whole.length > 19 };
}
