/** Milliseconds of the machine's monotonic clock, which all programs on it share. */
export function clockMs(): number {
  const [seconds, nanos] = process.hrtime();
  return seconds * 1e3 + nanos / 1e6;
}
