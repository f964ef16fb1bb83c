/** Farther from 1 than rounding takes it. */
const OFF = 1e-3;

/**
 * The vector, made a unit one where an embedder did not. One with no direction is all zeros, which is like nothing.
 * @throws Error when it has another length than the model's others, or numbers that are none.
 */
export function unitVector(vector: Float32Array | undefined, dims: number): Float32Array {
  if (vector?.length !== dims) throw new Error(`The embedder gave a vector of ${vector?.length ?? 0} numbers where ${dims} were due.`);
  let squares = 0;
  for (let dim = 0; dim < dims; dim++) squares += vector[dim]! * vector[dim]!;
  if (!Number.isFinite(squares)) throw new Error('The embedder gave a vector with numbers that are none.');
  const length = Math.sqrt(squares);
  if (length === 0 || Math.abs(length - 1) <= OFF) return vector;
  return vector.map((number) => number / length);
}
